"""Tools on their way from a model to what they touch: one gate, and what stands behind it."""
