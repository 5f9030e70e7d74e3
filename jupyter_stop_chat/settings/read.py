"""Read the settings that Jupyter Server would read, where there is none."""

from __future__ import annotations

import logging
from typing import TypeVar

from jupyter_core.application import JupyterApp

from .check import SettingsError, unread_files

_App = TypeVar("_App", bound=JupyterApp)

#: The files that a server reads, without their endings, the surest last.
_FILES = ("jupyter_server_config", "jupyter_stop_chat_config")


def read_settings(kind: type[_App]) -> _App:
    """Make an app with the settings of this machine's files; nothing is started.

    :param kind: the app's class.
    :raises SettingsError: when they are wrong: nothing is to run with others than were meant.
    """
    # Read by another application: one that has the settings would end the process at a wrong one.
    reader = JupyterApp(log_level=logging.CRITICAL)
    faults: list[str] = []
    for name in _FILES:
        reader.config_file_name = name
        reader.load_config_file()
        faults.extend(unread_files(reader))
    try:
        app = kind(config=reader.config)
    except SettingsError as error:
        raise SettingsError([*error.faults, *faults]) from None
    if faults:
        raise SettingsError(faults)
    return app
