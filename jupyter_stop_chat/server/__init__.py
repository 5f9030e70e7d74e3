"""The HTTP routes and the WebSocket. Tornado is known here, and in no other room."""
