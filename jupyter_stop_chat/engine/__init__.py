"""The engine: it starts, stops and settles generations."""

from .engine import Engine
from .limits import EngineLimits

__all__ = ["Engine", "EngineLimits"]
