"""Searchask: answers from a person's own documents, as one YAML file declares."""
