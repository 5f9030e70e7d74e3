"""The ways in which providers stream: what one event of each says.

An event is known by its own shape, not by the address that was asked: proxies have any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .endings import ending_of
from .hearing import Answer, number_of

#: The endings that OpenAI's client knows.
_OPENAI = {"stop", "length", "content_filter", "tool_calls", "function_call"}
_OPENAI_WORDS = {"length": "length", "content_filter": "content_filter", "tool": "tool_calls"}
_THOUGHTS = ("reasoning_content", "reasoning", "reasoning_text", "thinking", "thought", "thoughts")


def hear_event(data: dict[str, Any], answer: Answer) -> bool:
    """Note what an event says.

    :returns: whether it was changed into what the client library can read.
    """
    kind = data.get("type")
    if isinstance(data.get("choices"), list) or data.get("object") == "chat.completion.chunk":
        answer.events += 1
        return _chat(data, answer)
    if isinstance(kind, str):
        if kind.startswith("response."):
            answer.events += 1
            return _responses(kind, data, answer)
        if kind.startswith(("message_", "content_block_")):
            answer.events += 1
            _anthropic(kind, data, answer)
    elif isinstance(data.get("done"), bool):
        answer.events += 1
        _ollama(data, answer)
    return False


def _chat(data: dict[str, Any], answer: Answer) -> bool:
    """OpenAI's chat completions, and all who speak like it."""
    changed = False
    usage = data.get("usage")
    if isinstance(usage, Mapping):
        answer.count(
            usage.get("prompt_tokens", usage.get("input_tokens")),
            usage.get("completion_tokens", usage.get("output_tokens")),
            cache_read=_of(usage, "prompt_tokens_details", "cached_tokens")
            or usage.get("prompt_cache_hit_tokens"),  # as DeepSeek has it
            reasoning=_of(usage, "completion_tokens_details", "reasoning_tokens"),
        )
        # A number that is missing would be taken for nought.
        data["usage"] = None
        changed = True
    for choice in data.get("choices") or ():
        if isinstance(choice, dict):
            changed = _choice(choice, answer) or changed
    return changed


def _choice(choice: dict[str, Any], answer: Answer) -> bool:
    changed = False
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        message, text = choice.get("message"), choice.get("text")
        delta = message if isinstance(message, dict) else {}
        if not delta and isinstance(text, str):
            delta = {"content": text}
        choice["delta"] = delta
        changed = True
    _delta_thoughts(delta, answer)
    content = delta.get("content")
    if isinstance(content, list | dict):
        delta["content"] = _parts(content, answer)
        changed = True
    if delta.get("content") or delta.get("tool_calls"):
        answer.go_on()
    answer.refuse(delta.get("refusal"))
    word = choice.get("finish_reason")
    native = choice.get("native_finish_reason")
    said = ending_of(word)
    if said in {None, "stop"} and ending_of(native) in {"length", "content_filter", "refusal"}:
        word = native if said else word
    answer.finish(word)
    answer.beside_text = said is not None and bool(delta.get("content"))
    if word is not None and (not isinstance(word, str) or word not in _OPENAI):
        said = ending_of(word)
        choice["finish_reason"] = _OPENAI_WORDS.get(said, "stop") if said else None
        changed = True
    return changed


def _delta_thoughts(delta: Mapping[str, Any], answer: Answer) -> None:
    """Several fields may say the same: the first counts."""
    for name in _THOUGHTS:
        value = delta.get(name)
        if isinstance(value, Mapping):
            value = value.get("content") or value.get("text") or value.get("thinking")
        if isinstance(value, str) and value:
            answer.think(value)
            return
    details = delta.get("reasoning_details")
    blocks = delta.get("thinking_blocks")
    for part in (details if isinstance(details, list) else None) or (
        blocks if isinstance(blocks, list) else ()
    ):
        if isinstance(part, Mapping):
            answer.think(part.get("text") or part.get("summary") or part.get("thinking"))


def _parts(content: object, answer: Answer) -> str:
    """Sort the parts of a content: thoughts apart, text together."""
    text = ""
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            text += part
        elif isinstance(part, Mapping):
            kind = str(part.get("type", ""))
            if "think" in kind or "reason" in kind or part.get("thought") is True:
                for name in ("thinking", "reasoning", "text", "content", "summary"):
                    if found := _words(part.get(name)):
                        answer.think(found)
                        break
            elif kind == "refusal":
                answer.refuse(part.get("refusal"))
            else:
                text += _words(part.get("text"))
    return text


def _words(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return _words(value.get("text") or value.get("value"))
    return "".join(map(_words, value)) if isinstance(value, list) else ""


def _of(usage: Mapping[str, Any], details: str, name: str) -> object:
    """Return one of the numbers that a number is made of."""
    found = usage.get(details)
    return found.get(name) if isinstance(found, Mapping) else None


def _responses(kind: str, data: dict[str, Any], answer: Answer) -> bool:
    """OpenAI's Responses."""
    changed = False
    match kind:
        case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
            answer.think(data.get("delta"))
            if kind == "response.reasoning_text.delta":
                data["type"] = "response.reasoning_summary_text.delta"
                data.setdefault("summary_index", data.get("content_index", 0))
                changed = True
        case "response.refusal.delta":
            answer.refuse(data.get("delta"))
        case "response.completed" | "response.incomplete" | "response.cancelled":
            response = data.get("response")
            response = response if isinstance(response, Mapping) else {}
            usage = response.get("usage")
            if isinstance(usage, Mapping):
                answer.count(
                    usage.get("input_tokens"),
                    usage.get("output_tokens"),
                    cache_read=_of(usage, "input_tokens_details", "cached_tokens"),
                    reasoning=_of(usage, "output_tokens_details", "reasoning_tokens"),
                )
            details = response.get("incomplete_details")
            answer.ended = True
            answer.finish(
                (details.get("reason") if isinstance(details, Mapping) else None)
                or ("stop" if kind == "response.completed" else "cancelled")
            )
    return changed


def _anthropic(kind: str, data: Mapping[str, Any], answer: Answer) -> None:
    match kind:
        case "message_start":
            message = data.get("message")
            usage = message.get("usage") if isinstance(message, Mapping) else None
            # What is told there of the output is that it began.
            _anthropic_usage(
                {**usage, "output_tokens": None} if isinstance(usage, Mapping) else None, answer
            )
        case "content_block_start":
            block = data.get("content_block")
            if isinstance(block, Mapping) and block.get("type") == "thinking":
                answer.think(block.get("thinking"))
        case "content_block_delta":
            delta = data.get("delta")
            if isinstance(delta, Mapping) and delta.get("type") == "thinking_delta":
                answer.think(delta.get("thinking"))
        case "message_delta":
            delta = data.get("delta")
            if isinstance(delta, Mapping):
                answer.finish(delta.get("stop_reason"))
            _anthropic_usage(data.get("usage"), answer)
        case "message_stop":
            answer.ended = True


def _anthropic_usage(usage: object, answer: Answer) -> None:
    if not isinstance(usage, Mapping):
        return
    read = [
        max(0, number_of(usage.get(name)))
        for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    ]
    answer.count(
        sum(read),
        usage.get("output_tokens"),
        cache_read=usage.get("cache_read_input_tokens"),
        cache_write=usage.get("cache_creation_input_tokens"),
    )


def _ollama(data: Mapping[str, Any], answer: Answer) -> None:
    message = data.get("message")
    if isinstance(message, Mapping):
        answer.think(message.get("thinking"))
    if data["done"]:
        answer.ended = True
        answer.finish(data.get("done_reason"))
        answer.count(data.get("prompt_eval_count"), data.get("eval_count"))
