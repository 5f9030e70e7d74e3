"""How chats are found by words."""
