"""The check that lets nothing begin of a reply that was stopped."""

from __future__ import annotations

import asyncio

from jupyter_stop_chat.engine.generation import Generation


def refuse_stopped(generation: Generation) -> None:
    """Let nothing go on of a reply that was stopped, whoever has swallowed the cancel.

    :raises asyncio.CancelledError: it was.
    """
    if generation.fenced:
        raise asyncio.CancelledError
