"""What runs behind `vector_store`: imported when a store is opened, never by `check`."""
