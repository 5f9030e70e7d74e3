"""What an administrator sees: metrics, events, notices of trouble."""
