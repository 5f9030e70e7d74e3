"""The tools that run: a cell in its notebook's kernel, and that kernel anew."""
