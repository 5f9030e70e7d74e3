"""Chats as documents: what is written to a file, and read from one."""
