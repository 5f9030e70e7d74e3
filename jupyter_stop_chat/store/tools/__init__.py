"""What is kept of tools: their calls, what they changed, which may act unasked."""
