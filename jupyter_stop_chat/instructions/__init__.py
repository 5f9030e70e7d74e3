"""Instructions: what a model is told before a chat, put together from who may say it."""

from __future__ import annotations

from .instructions import Instructions

__all__ = ["Instructions"]
