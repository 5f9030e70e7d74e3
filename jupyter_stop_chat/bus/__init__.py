"""Who is told of what: inside one server today."""
