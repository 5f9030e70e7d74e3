"""Chat handlers: what turns a chat's history into a stream of events."""
