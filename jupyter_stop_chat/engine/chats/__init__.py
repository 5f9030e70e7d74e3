"""Chats as such: how many, their titles, what becomes of one, what was changed in it."""
