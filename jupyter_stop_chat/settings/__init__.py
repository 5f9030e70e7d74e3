"""Settings: their kinds, their checks, where they are read, how they are shown; what persons
chose, in small files."""
