"""The store: it remembers chats and messages, and decides nothing."""
