"""What runs behind `embed_model` and `llm`: imported when a model is built, never by `check`."""
