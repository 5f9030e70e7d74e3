"""What the real services refuse of an exchange with tools: each answer belongs to its call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
#: So many tools OpenAI takes in one request.
MOST_TOOLS = 128


class Refused(Exception):
    """What is wrong with a request."""


def refusal(check: Any, body: Mapping[str, Any]) -> str | None:
    """Return why a request is refused, or None."""
    try:
        check(body)
    except Refused as error:
        return str(error)
    return None


def _need(good: Any, why: str) -> None:
    if not good:
        raise Refused(why)


def _named(name: object) -> None:
    _need(isinstance(name, str) and _NAME.fullmatch(name), f"the name of a tool: {name!r}")


def _is_object(args: object) -> None:
    _need(isinstance(args, str), "arguments are a string")
    try:
        read = json.loads(args)  # type: ignore[arg-type]
    except ValueError:
        raise Refused(f"arguments that are no JSON: {args!r}") from None
    _need(isinstance(read, dict), "arguments that are no object")


# --- OpenAI's chat completions ---------------------------------------------------------------


def check_chat(body: Mapping[str, Any]) -> None:
    """Check `messages` of OpenAI's chat completions.

    :raises Refused: when it would be.
    """
    _definitions([each["function"] for each in body.get("tools", ())], "parameters")
    _need(len(body.get("tools", ())) <= MOST_TOOLS, "tools: array too long")
    said: Sequence[Mapping[str, Any]] = body["messages"]
    _need(said, "no messages")
    open_ids: list[str] = []
    for at, message in enumerate(said):
        role = message["role"]
        if role == "tool":
            call_id = message["tool_call_id"]
            _need(call_id in open_ids, f"messages.{at}: 'tool' must follow its 'tool_calls'")
            open_ids.remove(call_id)
            _need(message.get("content") not in (None, ""), f"messages.{at}: no content")
            continue
        _need(not open_ids, f"messages.{at}: no answer for {open_ids}")
        if role == "assistant":
            calls = message.get("tool_calls")
            _need(calls is None or calls, f"messages.{at}: empty tool_calls")
            _need(calls or message.get("content"), f"messages.{at}: neither content nor calls")
            for call in calls or ():
                _need(call["type"] == "function", "the type of a call")
                _named(call["function"]["name"])
                _is_object(call["function"]["arguments"])
                _need(call["id"] and call["id"] not in open_ids, "the id of a call")
                open_ids.append(call["id"])
        else:
            _need(role in {"system", "developer", "user"}, f"messages.{at}: {role}")
            _need(message.get("content"), f"messages.{at}: no content")
    _need(not open_ids, f"no answer for {open_ids}")


# --- OpenAI's Responses ----------------------------------------------------------------------


def check_responses(body: Mapping[str, Any]) -> None:
    """Check `input` of OpenAI's Responses.

    :raises Refused: when it would be.
    """
    _definitions(body.get("tools", ()), "parameters")
    _need(len(body.get("tools", ())) <= MOST_TOOLS, "tools: array too long")
    if isinstance(body["input"], str):
        return
    called: dict[str, bool] = {}
    for at, item in enumerate(body["input"]):
        kind = item.get("type", "message")
        if kind == "function_call":
            _named(item["name"])
            _is_object(item["arguments"])
            _need(item["call_id"] not in called, f"input.{at}: a call twice")
            called[item["call_id"]] = False
        elif kind == "function_call_output":
            _need(called.get(item["call_id"]) is False, f"input.{at}: an answer without a call")
            called[item["call_id"]] = True
        elif kind == "message":
            _need(all(called.values()), f"input.{at}: no tool output for a call")
            _need(item.get("content"), f"input.{at}: no content")
    _need(all(called.values()), "no tool output for a call")


# --- Anthropic's messages --------------------------------------------------------------------


def check_anthropic(body: Mapping[str, Any]) -> None:
    """Check `messages` of Anthropic.

    :raises Refused: when it would be.
    """
    tools = body.get("tools", ())
    _definitions(tools, "input_schema")
    for at, each in enumerate(tools):
        _properties(at, each["input_schema"])
    said = [(each["role"], _blocks(each["content"])) for each in body["messages"]]
    _need(said and said[0][0] == "user", "the first message is the user's")
    seen: set[str] = set()
    open_ids: set[str] = set()
    for at, (role, blocks) in enumerate(said):
        _need(blocks or at == len(said) - 1, f"messages.{at}: empty content")
        answers = [each["tool_use_id"] for each in blocks if each["type"] == "tool_result"]
        calls = [each for each in blocks if each["type"] == "tool_use"]
        _need(set(answers) == open_ids, f"messages.{at}: `tool_use` without `tool_result`")
        _need(len(answers) == len(set(answers)), f"messages.{at}: two answers for a call")
        _need(not answers or role == "user", f"messages.{at}: answers are the user's")
        _need(not calls or role == "assistant", f"messages.{at}: calls are the assistant's")
        first = [each["type"] for each in blocks][: len(answers)]
        _need(first == ["tool_result"] * len(answers), f"messages.{at}: answers come first")
        open_ids = {each["id"] for each in calls}
        _need(len(open_ids) == len(calls) and not open_ids & seen, "`tool_use` ids are unique")
        seen |= open_ids
        for call in calls:
            _named(call["name"])
            _need(_NAME.fullmatch(call["id"]), f"the id of a call: {call['id']!r}")
            _need(isinstance(call["input"], dict), "input is an object")
        for block in blocks:
            if block["type"] == "text":
                _need(block["text"].strip(), f"messages.{at}: text content blocks are non-empty")
        _need(tools or not (calls or answers), "tools must be defined where they are used")
    _need(not open_ids, "`tool_use` without `tool_result`")
    last_role, last = said[-1]
    if last_role == "assistant" and last and last[-1]["type"] == "text":
        _need(last[-1]["text"] == last[-1]["text"].rstrip(), "trailing whitespace")


def _blocks(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _definitions(tools: Sequence[Mapping[str, Any]], schema: str) -> None:
    names = [each["name"] for each in tools]
    for each in tools:
        _named(each["name"])
        _need(each[schema]["type"] == "object", "a schema of no object")
    _need(len(names) == len(set(names)), "two tools of one name")


def _properties(at: int, schema: Any) -> None:
    """Check the names of arguments, at each depth."""
    if isinstance(schema, list):
        for each in schema:
            _properties(at, each)
    if not isinstance(schema, Mapping):
        return
    for name, each in schema.items():
        if name == "properties" and isinstance(each, Mapping):
            for key in each:
                _need(_PROPERTY.fullmatch(key), f"tools.{at}: the key of a property: {key!r}")
            _properties(at, list(each.values()))
        else:
            _properties(at, each)


def pairs(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each call's name and answer, of a request of any of the three."""
    if "input" in body:
        items = body["input"]
        names = {e["call_id"]: e["name"] for e in items if e.get("type") == "function_call"}
        answers = [e for e in items if e.get("type") == "function_call_output"]
        yield from ((names[e["call_id"]], e["output"]) for e in answers)
        return
    names = {}
    for message in body["messages"]:
        for call in message.get("tool_calls") or ():
            names[call.get("id")] = call["function"]["name"]
        if message["role"] == "tool":
            yield names.get(message.get("tool_call_id"), ""), message["content"]
        for block in message["content"] if isinstance(message["content"], list) else ():
            if block["type"] == "tool_use":
                names[block["id"]] = block["name"]
            elif block["type"] == "tool_result":
                yield names[block["tool_use_id"]], block["content"]
