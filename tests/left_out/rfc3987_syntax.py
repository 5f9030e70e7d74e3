"""Stand where a package would be found, and say that there is none: see `servers_start_soon`."""

raise ImportError("left out for the tests")
