"""Fine-tuning: examples from a question set and its documents, and jobs at an endpoint."""
