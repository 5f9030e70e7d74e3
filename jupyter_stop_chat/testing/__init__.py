"""Fakes with every bad habit, and a check that Stop works: for our tests and plugin authors.

`ScriptedHandler` knows nothing of LangChain; `ScriptedModel`, `SyncScriptedModel` and
`GenerateOnlyModel` are LangChain chat models, and importing them imports LangChain.
"""

from __future__ import annotations

from .handler import Reply, ScriptedHandler
from .steps import (
    FIVE_MEGABYTES,
    LONE_SURROGATES,
    Block,
    Call,
    Endless,
    Flag,
    Gate,
    Raise,
    RefuseToClose,
    Script,
    SlowClean,
    Step,
)

__all__ = [
    "FIVE_MEGABYTES",
    "LONE_SURROGATES",
    "Block",
    "Call",
    "Endless",
    "Flag",
    "Gate",
    "Raise",
    "RefuseToClose",
    "Reply",
    "Script",
    "ScriptedHandler",
    "SlowClean",
    "Step",
]
