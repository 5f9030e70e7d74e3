"""What goes over the wire, and what it is made of: no I/O, no framework."""
