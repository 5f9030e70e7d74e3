"""What is SQLite’s own: its files, locks, processes and threads."""
