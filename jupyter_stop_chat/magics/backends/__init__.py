"""Where a notebook cell’s prompt is answered: by a Jupyter Server, or in the kernel."""
