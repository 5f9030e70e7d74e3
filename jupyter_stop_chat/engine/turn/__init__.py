"""What a model is told in a turn: the thread, instructions, pictures."""
