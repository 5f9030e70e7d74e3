"""`jupyter stop-chat`: chats, models and settings from a terminal."""
