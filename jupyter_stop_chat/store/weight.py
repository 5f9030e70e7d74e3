"""How much an operation brings to the disk: groups and what is held are bounded by it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.wire.objects import Message

from .operations import (
    AmendPrompt,
    AmendTool,
    Append,
    BeginTurn,
    KeepBlob,
    KeepCalls,
    KeepInstructions,
    KeepOutputs,
    NoteChange,
    Operation,
    PutCall,
    PutTool,
    Rewrite,
    SetInstructions,
)


def weight(operation: Operation) -> int:
    """Estimate how many bytes an operation brings to the disk."""
    if isinstance(operation, Append):
        return 64 + len(operation.text)
    if isinstance(operation, SetInstructions | KeepInstructions):
        return 256 + len(operation.text)
    if isinstance(operation, KeepBlob):
        return 256 + len(operation.data)
    if isinstance(operation, PutCall):
        return weight_of_call(operation.call)
    if isinstance(operation, KeepOutputs):
        return 256 + len(operation.run.outputs)
    if isinstance(operation, KeepCalls):
        return sum(map(weight_of_call, operation.calls))
    if isinstance(operation, PutTool | AmendTool):
        return 256 + len(operation.call.args or "") + len(operation.call.result or "")
    if isinstance(operation, NoteChange):
        change = operation.change
        cell = json.dumps(change.cell) if change.cell is not None else ""
        return 256 + len(change.before or "") + len(change.after or "") + len(cell)
    if isinstance(operation, Rewrite):
        return 256 + len(operation.text)
    if isinstance(operation, AmendPrompt):
        attached = operation.attachments or ()
        return 256 + len(operation.text) + sum(len(each.text) for each in attached)
    if isinstance(operation, BeginTurn):
        return 256 + weight_of(operation.messages)
    return 256


def weight_of_call(call: Told) -> int:
    """Estimate how many bytes a call brings to the disk."""
    return 256 + len(call.args) + len(call.result or "")


def weight_of(messages: Sequence[Message]) -> int:
    """Estimate how many bytes messages bring to the disk."""
    return sum(
        256
        + len(message.text)
        + len(message.reasoning or "")
        + sum(len(each.text) for each in message.attachments)
        for message in messages
    )
