"""Real HTTP providers on loopback, which count tokens and note when their client is gone."""

from __future__ import annotations

from .anthropic import AnthropicProvider
from .ollama import OllamaProvider
from .openai import OpenAIProvider
from .script import Request, Script, ToolUse, Trouble
from .server import NeverAccepts, Provider

#: The providers by the name that a model id begins with.
KINDS: dict[str, type[Provider]] = {
    each.kind: each for each in (AnthropicProvider, OllamaProvider, OpenAIProvider)
}

__all__ = [
    "KINDS",
    "AnthropicProvider",
    "NeverAccepts",
    "OllamaProvider",
    "OpenAIProvider",
    "Provider",
    "Request",
    "Script",
    "ToolUse",
    "Trouble",
]
