"""Models: which there are, what they need, and how their chat handlers are made."""

from __future__ import annotations

from .building import Factory, Models
from .catalogue import ENTRY_POINTS
from .providers import BUILT_IN, LOCAL, PROVIDERS, Provider
from .rules import Rules

__all__ = [
    "BUILT_IN",
    "ENTRY_POINTS",
    "LOCAL",
    "PROVIDERS",
    "Factory",
    "Models",
    "Provider",
    "Rules",
]
