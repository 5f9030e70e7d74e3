"""The built-in model: real, small, offline, in a child process of its own.

Nothing here imports llama.cpp into the server: only the child does. See `child` for what is said
over the pipes, `process` for the parent's side, `weights` for where the weights come from.
"""

from __future__ import annotations

#: Raised when what is said between parent and child changes its meaning.
PIPE_PROTOCOL = 1
#: How many tokens all requests of a child hold together, unless it is said otherwise.
CONTEXT = 8192
