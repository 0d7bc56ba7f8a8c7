"""The tabs of the page in Gradio: one file lays one out and wires it."""
