"""A JupyterLab chat whose Stop really stops.

This module is imported at every start of Jupyter Server, so it imports nothing heavy.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Return where the built labextension lies, for development installs."""
    return [{"src": "labextension", "dest": "jupyter-stop-chat"}]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """Return the server extension that Jupyter Server loads.

    No garbage is looked for meanwhile: an import makes none, and to look through all that Jupyter
    has loaded took as long as the imports.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        from .app import StopChatApp
    finally:
        if collecting:
            gc.enable()

    return [{"module": "jupyter_stop_chat", "app": StopChatApp}]


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Add `%%chat` and `%chat`, for `%load_ext jupyter_stop_chat`."""
    from .magics import load

    load(ipython)
