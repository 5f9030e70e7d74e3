"""What keeps chats in memory while the database cannot."""
