"""The parts of Jupyter Server that the services are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_stop_chat.kernels import LiveKernels

from .contents import ServerContents
from .kernels import ServerKernels
from .surroundings import ServerSurroundings

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def parts_of(server: ServerApp) -> dict[str, Any]:
    """Return what asks a server: by the names that the services have for it."""
    return {
        "surroundings": ServerSurroundings(server),
        "contents": ServerContents(server),
        "kernels": LiveKernels(ServerKernels(server)),
    }
