"""Errors inside a stream that began well, as if they were the HTTP answers that they stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from jupyter_stop_chat.chat_handlers.provider_errors import code_of
from jupyter_stop_chat.wire.errors import ErrorCode

_NUMBERS = ("code", "status", "status_code", "statusCode", "http_status", "http_code", "type")
_INNER = ("error", "metadata", "raw", "details", "inner_error", "innererror", "response")
_WORDS = ("message", "msg", "detail", "reason", "error_description", "description", "title")
_NAMES = ("code", "type", "status", "error_type", "reason")
_WAITS = {
    "retry_after",
    "retry-after",
    "retryafter",
    "retry_after_seconds",
    "retrydelay",
    "retry_after_ms",
    "retry-after-ms",
}
_STATUS_IN_WORDS = re.compile(r"(?:^|status|code|http|error)\W{0,3}([45]\d\d)\b", re.IGNORECASE)
_WAIT_IN_WORDS = re.compile(
    r"(?:try again|retry|wait)\D{0,20}?(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s\b|sec|m\b|min)",
    re.IGNORECASE,
)
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m)?$")
_DEEPEST = 8


class ProviderFault(Exception):
    """An error that a provider told in the middle of a stream.

    It has what an exception of a client library for an HTTP error has, so that one table tells
    what both mean, and both are asked again alike.

    :param said: the error as it stood in the stream: an object, a list, or words.
    :ivar status_code: the HTTP status that it names; 500 where neither that nor a known word is.
    :ivar body: the error as an object, with the names that it gives itself in `code` and `type`.
    :ivar response: with the `headers` that ask to wait, if it asks.
    """

    def __init__(self, said: object) -> None:
        parts = list(_parts(said))
        words = [text for part in parts for text in _texts(part)]
        super().__init__("; ".join(dict.fromkeys(words)) or "an error without words")
        self.status_code = _status(parts, str(self))
        self.body = _body(parts, str(self))
        headers = {} if (wait := _wait(parts, str(self))) is None else {"retry-after": f"{wait:g}"}
        self.response = SimpleNamespace(status_code=self.status_code, headers=headers)
        if self.status_code is None and code_of(self) is ErrorCode.GENERATION_FAILED:
            self.status_code = self.response.status_code = 500


def fault_in(data: object, event: str) -> object:
    """Find the error in an event of a stream; None: there is none.

    :param event: the event's name, if it has one.
    """
    if isinstance(data, list):
        return next((found for each in data if (found := fault_in(each, ""))), None)
    if not isinstance(data, Mapping):
        return data if event == "error" else None
    kind = data.get("type")
    if error := data.get("error"):
        return {**data, "error": error} if _is_error(error) else None
    if kind == "response.failed":
        response = data.get("response")
        found = response.get("error") if isinstance(response, Mapping) else None
        return found or "the response failed"
    if "error" in {event, kind, data.get("object"), data.get("event")}:
        return data
    choices = data.get("choices")
    if isinstance(choices, list):
        of_choices = (each.get("error") for each in choices if isinstance(each, Mapping))
        return next((found for found in of_choices if found), None)
    if isinstance(kind, str) or not {"choices", "done", "usage"}.isdisjoint(data):
        return None
    told = isinstance(data.get("detail") or data.get("message"), str) or data.get("errors")
    numbered = _number(data) is not None or "detail" in data or bool(data.get("errors"))
    return data if told and numbered else None


def _is_error(error: object) -> bool:
    return isinstance(error, str | Mapping | list | int) and bool(error)


def _parts(said: object, depth: int = 0) -> Iterator[Any]:
    """Yield the objects and words that an error is made of, the outermost first."""
    if depth > _DEEPEST:
        return
    if isinstance(said, str):
        try:
            inner = json.loads(said) if said.lstrip().startswith(("{", "[")) else None
        except (ValueError, RecursionError):
            inner = None
        if inner is None:
            yield said
        else:
            yield from _parts(inner, depth + 1)
    elif isinstance(said, list):
        for each in said[:8]:
            yield from _parts(each, depth + 1)
    elif isinstance(said, Mapping):
        yield said
        for name in (*_INNER, "errors", "message"):
            inner = said.get(name)
            nested = isinstance(inner, str) and inner.lstrip().startswith(("{", "["))
            if isinstance(inner, Mapping | list) or nested or name in {"error", "raw"}:
                yield from _parts(inner, depth + 1)


def _texts(part: object) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for name in (*_WORDS, "type", "code", "status"):
            if isinstance(value := part.get(name), str) and value:
                yield value


def _number(part: Mapping[str, Any]) -> int | None:
    for name in _NUMBERS:
        value = part.get(name)
        text = str(value).strip() if isinstance(value, int | str) else ""
        if re.fullmatch(r"[45]\d\d", text):
            return int(text)
    return None


def _status(parts: list[Any], words: str) -> int | None:
    for part in parts:
        if isinstance(part, Mapping) and (number := _number(part)) is not None:
            return number
    found = _STATUS_IN_WORDS.search(words)
    return int(found[1]) if found else None


def _body(parts: list[Any], words: str) -> dict[str, Any]:
    body: dict[str, Any] = {"message": words}
    names = [
        value
        for part in parts
        if isinstance(part, Mapping)
        for name in _NAMES
        if isinstance(value := part.get(name), str) and not value.isdigit()
    ]
    # The readers of a body look at two names of it, and one level deeper.
    inner = body
    for at, name in enumerate(dict.fromkeys(names)):
        if at and at % 2 == 0:
            inner["error"] = inner = {}
        inner["code" if at % 2 == 0 else "type"] = name
    return body


def _wait(parts: list[Any], words: str) -> float | None:
    """Return the seconds that an error asks to wait, if it does."""
    for part in parts:
        if not isinstance(part, Mapping):
            continue
        headers = part.get("headers")
        for named in (part, headers if isinstance(headers, Mapping) else {}):
            for name, value in named.items():
                word = str(name).lower()
                if word not in _WAITS:
                    continue
                found = _SECONDS.match(str(value).strip())
                if found:
                    unit = "ms" if word.endswith("ms") else found[2]
                    return _seconds(found[1], unit or "s")
    found = _WAIT_IN_WORDS.search(words)
    return _seconds(found[1], found[2].lower()) if found else None


def _seconds(number: str, unit: str) -> float:
    if unit.startswith(("ms", "milli")):
        return float(number) / 1000
    return float(number) * (60 if unit.startswith("m") else 1)
