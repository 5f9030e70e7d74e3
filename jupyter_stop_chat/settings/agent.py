"""The settings of the mode Agent: who may use tools, and what lets them act unasked."""

from __future__ import annotations

from typing import cast

from traitlets import Bool, Enum, HasTraits

from jupyter_stop_chat.ports.tools import AgentRules, Unasked


class AgentSettings(HasTraits):
    """The settings of tools, as a part of the extension's."""

    agent_mode = Bool(
        True,
        help="Let models use tools in chats of the mode Agent: they read and change notebooks. "
        "False: all chats are of the mode Ask.",
    ).tag(config=True)
    agent_approvals = Enum(
        ["rules", "each"],
        "rules",
        help="What lets a tool that edits or runs act: people may allow it once, in a chat, or "
        "always (rules), or once and no more (each), whatever they allowed before.",
    ).tag(config=True)

    def agent_rules(self) -> AgentRules:
        """Return what the settings say of tools; they may change while the server runs."""
        return AgentRules(self.agent_mode, cast("Unasked", self.agent_approvals))
