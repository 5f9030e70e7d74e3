"""What the engine asks of others, each as a Protocol with its data."""
