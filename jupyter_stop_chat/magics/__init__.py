"""The chat in a notebook's cells: `%%chat`, `%chat` and `%chat_error`.

It is a client of the HTTP API where the kernel's Jupyter Server has the extension, and runs the
same engine in the kernel where there is none. Nothing heavy is imported before that is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load(shell: InteractiveShell) -> None:
    """Register the magics and their completions."""
    from .completion import IDENTIFIER, matcher
    from .magic import ChatMagics

    before = shell.magics_manager.registry.get(ChatMagics.__name__)
    magics = ChatMagics(shell)
    if isinstance(before, ChatMagics):  # loaded again: its engine may be running
        shell.events.unregister("post_run_cell", before.failures.note)
        magics.backends, magics.defaults = before.backends, before.defaults
    shell.register_magics(magics)
    shell.events.register("post_run_cell", magics.failures.note)
    completer = shell.Completer
    if completer is not None:
        others = [
            each
            for each in completer.custom_matchers
            if getattr(each, "matcher_identifier", "") != IDENTIFIER
        ]
        completer.custom_matchers = [matcher(magics), *others]
