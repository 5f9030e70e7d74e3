"""Who is told of what: inside one server, and by Redis from one to others."""
