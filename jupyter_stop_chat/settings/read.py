"""Read the settings that Jupyter Server would read, where there is none."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from jupyter_core.application import JupyterApp

from .check import SettingsError, unread_files

if TYPE_CHECKING:
    from jupyter_stop_chat.app import StopChatApp

#: The files that a server reads, without their endings, the surest last.
_FILES = ("jupyter_server_config", "jupyter_stop_chat_config")


def read_settings() -> StopChatApp:
    """Make the extension's app with the settings of this machine's files; nothing is started.

    :raises SettingsError: when they are wrong: nothing is to run with others than were meant.
    """
    from jupyter_stop_chat.app import StopChatApp

    # Read by another application: one that has the settings would end the process at a wrong one.
    reader = JupyterApp(log_level=logging.CRITICAL)
    faults: list[str] = []
    for name in _FILES:
        reader.config_file_name = name
        reader.load_config_file()
        faults.extend(unread_files(reader))
    try:
        app = StopChatApp(config=reader.config)
    except SettingsError as error:
        raise SettingsError([*error.faults, *faults]) from None
    if faults:
        raise SettingsError(faults)
    return app
