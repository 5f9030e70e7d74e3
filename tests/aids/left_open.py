"""What a Jupyter server leaves open to its process's end, besides what is the chat's."""

from __future__ import annotations

from jupyter_server.serverapp import ServerApp


def let_go(app: ServerApp) -> None:
    """Close what a server has left open: Python 3.13 tells of each database."""
    if hasattr(app, "kernel_manager"):
        app.kernel_manager.context.destroy()
    if hasattr(app, "session_manager") and app.session_manager._connection is not None:
        app.session_manager._connection.close()
    manager = getattr(app, "contents_manager", None)
    if manager is not None and manager.trait_has_value("notary"):
        manager.notary.store.close()
