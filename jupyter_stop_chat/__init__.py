"""A JupyterLab chat whose Stop really stops.

This module is imported at every start of Jupyter Server, so it imports nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Return where the built labextension lies, for development installs."""
    return [{"src": "labextension", "dest": "jupyter-stop-chat"}]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """Return the server extension that Jupyter Server loads."""
    from .app import StopChatApp

    return [{"module": "jupyter_stop_chat", "app": StopChatApp}]


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Add `%%chat` and `%chat`, for `%load_ext jupyter_stop_chat`."""
    from .magics import load

    load(ipython)
