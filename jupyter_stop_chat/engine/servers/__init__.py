"""What other servers make on the same data: asked for, stopped, watched and told of."""
