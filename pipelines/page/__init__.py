"""What the page shows, made without Gradio: `ui.py` lays it out and wires it."""
