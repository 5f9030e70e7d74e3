"""A model's Markdown, read once: as HTML that does nothing, as code, and as plain words."""
