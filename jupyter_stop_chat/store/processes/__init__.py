"""The server processes on a database: which live, what they ask, what one left behind."""
