"""Calls and their answers as LangChain's messages: in pairs, and as every provider takes them."""

from __future__ import annotations

import json
import re
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from itertools import chain, count, groupby
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from jupyter_stop_chat.ports.handler import TurnMessage
from jupyter_stop_chat.ports.tools import LONGEST_ARGS, Told, ToolPicture, ToolResult
from jupyter_stop_chat.wire.codec import loads
from jupyter_stop_chat.wire.usage import CHARACTERS_PER_TOKEN
from jupyter_stop_chat.wire.utf16 import utf16_slice, whole_json

#: What providers take as a name of a tool, and as the id of a call.
_NO_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 64
_LONGEST_ID = 48
#: What stands before pictures that tools show.
PICTURES = "(Pictures that the tools above show, in order.)"
#: The blocks of a message's content that are calls.
_CALLS = {"tool_use", "tool_call", "function_call"}


def told_reply(message: TurnMessage, taken: set[str]) -> list[BaseMessage]:
    """Turn a reply of the history that made calls into LangChain's messages, in pairs.

    :param taken: the ids of calls before it: providers take each once.
    """
    told: list[BaseMessage] = []
    begin = 0
    for _, calls in groupby(message.calls, key=lambda each: each.step):
        its = list(calls)
        ids = own_ids([each.call_id for each in its], taken)
        text = utf16_slice(message.text, begin, its[0].at)
        begin = max(begin, its[0].at)
        told.append(
            AIMessage(
                text.strip(),
                tool_calls=[
                    call_of(call_id, each.name, each.args)
                    for call_id, each in zip(ids, its, strict=True)
                ],
            )
        )
        told += [
            answer_of(call_id, ToolResult(each.result or "", each.state != "completed"))
            for call_id, each in zip(ids, its, strict=True)
        ]
    if rest := utf16_slice(message.text, begin).strip():
        told.append(AIMessage(rest))
    return told


def size_of_calls(calls: Sequence[Told]) -> int:
    """Estimate the tokens of the calls of a reply."""
    length = sum(len(each.name) + len(each.args) + len(each.result or "") for each in calls)
    return length // CHARACTERS_PER_TOKEN


def call_of(call_id: str, name: str, args: str) -> dict[str, Any]:
    """Make a call that providers take, of whatever the model wrote."""
    name = _NO_NAME.sub("_", name)[:_LONGEST_NAME] or "unknown"
    return {"type": "tool_call", "id": call_id, "name": name, "args": read_object(args) or {}}


def read_object(args: str) -> dict[str, Any] | None:
    """Read arguments; None where they are no JSON object, or longer than any tool takes."""
    if len(args) > LONGEST_ARGS:
        return None
    try:
        read = loads(args)
        if not args.isascii() or "\\" in args:  # else there is nothing to mend
            read = whole_json(read)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def answer_of(call_id: str, result: ToolResult) -> ToolMessage:
    """Make the answer to a call."""
    status = "error" if result.failed else "success"
    # Some providers refuse an answer of nothing.
    return ToolMessage(result.text or "(nothing)", tool_call_id=call_id, status=status)


def shown_pictures(pictures: Sequence[ToolPicture]) -> list[BaseMessage]:
    """Show a model what its tools showed, behind their answers.

    It is a message of the person's side: not every provider takes pictures in an answer.
    """
    if not pictures:
        return []
    blocks: list[str | dict[str, Any]] = [{"type": "text", "text": PICTURES}]
    blocks += [
        {"type": "image", "base64": each.data, "mime_type": each.mime_type} for each in pictures
    ]
    return [HumanMessage(blocks)]


def own_ids(ids: Sequence[str], taken: set[str] | None = None) -> list[str]:
    """Return ids that providers take, each once; the same each time, for a provider's cache.

    :param taken: those that were given before; these are added.
    """
    taken = set() if taken is None else taken
    own: list[str] = []
    for given in ids:
        plain = _NO_NAME.sub("_", given)[:_LONGEST_ID] or "call"
        numbered = (f"{plain}_{number}" for number in count(2))
        own.append(next(each for each in chain([plain], numbered) if each not in taken))
        taken.add(own[-1])
    return own


def corrected(content: Any, given: Sequence[str], calls: Sequence[Mapping[str, Any]]) -> Any:
    """Have the calls that stand in a message's content as providers take them.

    :param given: the ids that the model gave them, in order.
    """
    if not isinstance(content, list):
        return content
    ours: defaultdict[Any, deque[Mapping[str, Any]]] = defaultdict(deque)
    for call_id, call in zip(given, calls, strict=True):
        ours[call_id].append(call)
    return [_corrected_block(each, ours) for each in content]


def _corrected_block(block: Any, ours: Mapping[Any, deque[Mapping[str, Any]]]) -> Any:
    if not isinstance(block, dict) or block.get("type") not in _CALLS:
        return block
    name = "call_id" if "call_id" in block else "id"
    its = ours.get(block.get(name))
    if not its:
        return block
    # The model may have given several the same id.
    call = its.popleft() if len(its) > 1 else its[0]
    new = {**block, name: call["id"], "name": call["name"]}
    if isinstance(args := block.get("arguments"), str) and read_object(args) is None:
        new["arguments"] = json.dumps(call["args"])
    return new
