"""Chats on a database server: PostgreSQL, by its asynchronous driver asyncpg."""
