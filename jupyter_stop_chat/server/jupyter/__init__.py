"""What asks Jupyter Server's own managers: of files, kernels, sessions."""
