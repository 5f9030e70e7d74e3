"""Real HTTP providers on loopback, which count tokens and note when their client is gone."""

from __future__ import annotations

from .openai import OpenAIProvider
from .script import Request, Script, ToolUse, Trouble
from .server import NeverAccepts, Provider

__all__ = [
    "NeverAccepts",
    "OpenAIProvider",
    "Provider",
    "Request",
    "Script",
    "ToolUse",
    "Trouble",
]
