"""The events that an operator can record: what was made, and who stopped what, when and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from jupyter_stop_chat.engine.changes import Change, MessageMoved
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.wire.objects import TERMINAL, Message, MessageState

if TYPE_CHECKING:
    from jupyter_events import EventLogger

GENERATION = "https://events.jupyter.org/jupyter_stop_chat/generation/v1"
STOPPED_EVERYONE = "https://events.jupyter.org/jupyter_stop_chat/stop_everyone/v1"
SCHEMAS = {GENERATION: "generation.yaml", STOPPED_EVERYONE: "stop_everyone.yaml"}


def register(logger: EventLogger) -> None:
    """Make the schemas known to a server's event logger; again does no harm."""
    for schema_id, name in SCHEMAS.items():
        if schema_id not in logger.schemas:
            logger.register_event_schema(Path(__file__).parent / name)


def emit(logger: EventLogger, schema_id: str, data: dict[str, Any]) -> None:
    """Record one event."""
    logger.emit(schema_id=schema_id, data=data)


def recorder(logger: EventLogger) -> Callable[[Change], None]:
    """Return a listener that records what becomes of every reply."""

    started: WeakSet[Generation] = WeakSet()

    def record(change: Change) -> None:
        if not isinstance(change, MessageMoved) or change.generation is None:
            return
        message, owner = change.message, change.generation.owner
        if message.state is MessageState.GENERATING:
            if change.generation in started:
                return  # it is told of again while its provider is waited for
            started.add(change.generation)
            emit(logger, GENERATION, {"action": "started", **_what(message, owner)})
        elif message.state in TERMINAL:
            ended = {"action": str(message.state), **_what(message, owner), **_how(message)}
            emit(logger, GENERATION, ended)

    return record


def _what(message: Message, owner: str) -> dict[str, Any]:
    return {
        "message_id": message.id,
        "chat_id": message.chat_id,
        "owner": owner,
        "model": message.model or "",
    }


def _how(message: Message) -> dict[str, Any]:
    usage, stop, error = message.usage, message.stop, message.error
    told: dict[str, Any] = {"text_length": message.text_length}
    if usage is not None:
        told |= {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "usage_estimated": usage.estimated,
        }
    if stop is not None:
        told |= {
            "stop_reason": stop.reason,
            "stop_requested_at": stop.requested_at,
            "stop_settled_ms": stop.settled_ms,
            "provider": stop.provider,
        }
    if error is not None:
        told |= {"error_code": str(error.code), "error_id": error.error_id}
    return {name: value for name, value in told.items() if value is not None}
