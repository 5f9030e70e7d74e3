"""The databases that a Jupyter server opens besides the chat's."""

from __future__ import annotations

from jupyter_server.serverapp import ServerApp


def close_databases(app: ServerApp) -> None:
    """Close what a server leaves open to its process's end: Python 3.13 tells of each."""
    if hasattr(app, "session_manager") and app.session_manager._connection is not None:
        app.session_manager._connection.close()
    manager = getattr(app, "contents_manager", None)
    if manager is not None and manager.trait_has_value("notary"):
        manager.notary.store.close()
