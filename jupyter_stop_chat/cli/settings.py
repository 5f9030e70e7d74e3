"""`jupyter stop-chat settings`: every setting, what is in effect, and what it is for."""

from __future__ import annotations

from textwrap import fill

from jupyter_stop_chat.app import StopChatApp
from jupyter_stop_chat.settings.read import read_settings
from jupyter_stop_chat.settings.table import settings_of


def listing() -> str:
    """Return the settings of this machine's files, those that differ from the default marked.

    :raises SettingsError: when they are wrong.
    """
    return "\n\n".join(
        "\n".join(
            (
                f"{' ' if each.value == each.default else '*'} {each.name} = {each.value}",
                f"    {each.may_be}; default: {each.default}",
                fill(each.help, 88, initial_indent="    ", subsequent_indent="    "),
            )
        )
        for each in settings_of(read_settings(StopChatApp))
    )
