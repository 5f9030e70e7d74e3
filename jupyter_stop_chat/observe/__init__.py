"""What an administrator sees: metrics, events, notices of a degraded store."""
