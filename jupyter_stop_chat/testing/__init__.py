"""Fakes with every bad habit, and a check that Stop works: for our tests and plugin authors.

`ScriptedHandler` knows nothing of LangChain; `ScriptedModel`, `SyncScriptedModel` and
`GenerateOnlyModel` are LangChain chat models, and importing them imports LangChain.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .conformance import PhaseReport, StopReport, check_stops
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

if TYPE_CHECKING:
    from .model import GenerateOnlyModel, ScriptedModel, SyncScriptedModel, tool_args

_OF_LANGCHAIN = frozenset({"GenerateOnlyModel", "ScriptedModel", "SyncScriptedModel", "tool_args"})

__all__ = [
    "FIVE_MEGABYTES",
    "LONE_SURROGATES",
    "Block",
    "Call",
    "Endless",
    "Flag",
    "Gate",
    "GenerateOnlyModel",
    "PhaseReport",
    "Raise",
    "RefuseToClose",
    "Reply",
    "Script",
    "ScriptedHandler",
    "ScriptedModel",
    "SlowClean",
    "Step",
    "StopReport",
    "SyncScriptedModel",
    "check_stops",
    "tool_args",
]


def __getattr__(name: str) -> Any:
    if name in _OF_LANGCHAIN:
        return getattr(import_module(f"{__name__}.model"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
