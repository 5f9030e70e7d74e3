"""Read an error of whatever shape: an exception of any library, or a body as it came.

Each library keeps the answer elsewhere, and each server words it in a body of its own: an object,
a sentence, a list, an object in a list, JSON in a string, a page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

#: The fields of a body that hold a name for the error, and those that hold a sentence.
_NAMES = frozenset({"code", "type", "status", "reason", "error_code", "errorcode", "__type"})
_SENTENCES = frozenset(
    {
        "message",
        "msg",
        "error",
        "errors",
        "detail",
        "details",
        "description",
        "error_description",
        "error_message",
        "error_msg",
        "errmsg",
        "title",
        "raw",
        "metadata",
        "innererror",
        "cause",
        "response",
    }
)
_STATUSES = frozenset(
    {"code", "status", "status_code", "statuscode", "http_status", "httpstatuscode"}
)
#: A comment ends at its first end: to try the next ones as well would double the time with each.
_PAGE = re.compile(
    r"\s*(<!--(?:(?!-->).)*-->\s*)*<(!doctype|html|head|body|\?xml|center|h1)\b", re.I | re.S
)
_MARKS = re.compile(r"<(style|script)\b.*?(?:</\1>|\Z)|<[^>]*(?:>|\Z)", re.I | re.S)
_MOST_CAUSES = 8
_DEEPEST = 12
_LONGEST = 6_000
_MOST_PARTS = 200
#: So much is read of all sentences of an answer: what they mean is looked for while others wait.
_MOST_TEXT = 2 * _LONGEST


@dataclass(slots=True)
class Answer:
    """What is known of a refusal.

    :ivar status: the HTTP status, from 300 on, of the answer or named in its body.
    :ivar names: what the server calls the error: small letters and digits only.
    :ivar text: its sentences, one a line, and numbers with their names.
    :ivar said: the sentences of its body alone, as a server says them to people.
    :ivar is_page: the body is a web page.
    :ivar has_body: the body is known, though it may be empty.
    :ivar headers: of the answer.
    """

    status: int | None = None
    names: list[str] = field(default_factory=list)
    text: str = ""
    said: list[str] = field(default_factory=list)
    is_page: bool = False
    has_body: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_one(self) -> bool:
        """Tell whether anything was answered at all."""
        return self.status is not None or self.has_body or bool(self.names)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it came from, outermost first."""
    current: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if current is None:
            return
        yield current
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )


def answer_of(error: BaseException) -> Answer:
    """Read one exception, without what it came from."""
    answer = Answer()
    response = getattr(error, "response", None)
    for value in (
        getattr(error, "status_code", None),
        getattr(error, "http_status", None),
        getattr(error, "code", None),
        getattr(error, "status", None),
        getattr(response, "status_code", None),
        getattr(response, "status", None),
    ):
        answer.status = answer.status or _status(getattr(value, "value", value))
    for name in ("code", "type", "status", "reason"):
        value = getattr(error, name, None)
        if isinstance(value, str):
            answer.names.append(plain(value))
    sentences: list[str] = []
    if name := _grpc_name(error):
        answer.names.append(plain(name))
        sentences.append(name)
    for body in _bodies(error, response):
        answer.has_body = True
        _read(body, answer, sentences)
    sentences.append(str(error)[:_LONGEST])
    answer.text = "\n".join(dict.fromkeys(sentences))
    headers = getattr(response, "headers", None)
    if headers is not None and hasattr(headers, "get"):
        answer.headers = headers
    return answer


def answer_on_the_wire(status: int | None, body: object) -> Answer:
    """Read an error as it came: its status, and its body or what stands in a stream for it.

    :param status: that of a stream which began well, 200, says nothing.
    """
    answer = Answer(_status(status), has_body=body is not None)
    sentences: list[str] = []
    _read(body, answer, sentences)
    answer.text = "\n".join(dict.fromkeys(sentences))
    return answer


def plain(name: str) -> str:
    """Write a name as all of them are compared: `InvalidApiKey` is `invalid_api_key`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _status(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"[3-5]\d\d", value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 300 <= value < 600:
        return value
    return None


def _grpc_name(error: BaseException) -> str:
    """Return the name of a status of gRPC, which Google's clients speak; empty without one."""
    status = getattr(error, "grpc_status_code", None)
    code = getattr(error, "code", None)
    if status is None and callable(code):
        with suppress(Exception):  # it is somebody else's function
            status = code()
    name = getattr(status, "name", None)
    return name if isinstance(name, str) else ""


def _bodies(error: BaseException, response: Any) -> Iterator[object]:
    """Yield what an exception holds of the answer's body; each library has a place of its own."""
    body = getattr(error, "body", None)
    if body is not None:
        yield body
    said = getattr(error, "error", None)  # Ollama's client
    if isinstance(said, str | list | Mapping):
        yield said
    details = getattr(error, "details", None)  # Google's
    if isinstance(details, list | Mapping):
        yield details
    if isinstance(response, Mapping):  # Amazon's
        yield response
    elif response is not None:
        try:
            text = response.text
        except Exception:  # noqa: BLE001 - one that was not read has none
            text = None
        if isinstance(text, str):
            yield text
    # LangChain raises what stands in a stream for an error, as it is.
    if type(error) is ValueError and error.args:
        first = error.args[0]
        if isinstance(first, list | Mapping):
            yield first
        elif isinstance(first, str) and (named := re.match(r"([a-z_]{4,40}): ", first)):
            yield {"code": named[1]}


def _read(body: object, answer: Answer, sentences: list[str]) -> None:
    """Take names, sentences and a status out of a body."""
    waiting: list[tuple[str, object, int]] = [("error", body, 0)]
    parts = 0
    while waiting and parts < _MOST_PARTS:
        name, part, depth = waiting.pop(0)
        parts += 1
        if isinstance(part, bytes):
            part = part.decode("utf-8", "replace")
        if isinstance(part, str):
            inner = _json_in(part)
            if inner is not None and depth < _DEEPEST:
                waiting.append((name, inner, depth + 1))
            else:
                _take(name, part, answer, sentences)
        elif isinstance(part, bool) or part is None:
            continue
        elif isinstance(part, int | float):
            if name in _STATUSES:
                answer.status = answer.status or _status(part)
            sentences.append(f"{name}: {part}")
        elif depth < _DEEPEST:
            if isinstance(part, Mapping):
                # What the model wrote is no word of its server.
                waiting.extend(
                    (str(key).lower(), each, depth + 1)
                    for key, each in part.items()
                    if key not in {"choices", "content", "messages", "input"}
                )
            elif isinstance(part, list | tuple):
                waiting.extend((name, each, depth + 1) for each in part)


def _take(name: str, text: str, answer: Answer, sentences: list[str]) -> None:
    text = text[:_LONGEST]
    room = max(0, _MOST_TEXT - sum(map(len, sentences)))
    if _PAGE.match(text):
        answer.is_page = True
        sentences.append(_MARKS.sub(" ", text)[:room])
        return
    if name in _NAMES:
        answer.status = answer.status or _status(text)
        if len(text) <= 80:
            answer.names.append(plain(text))
    if room and (name in _NAMES or name in _SENTENCES):
        sentences.append(text[:room])
        if " " in text.strip() and text not in answer.said:
            answer.said.append(text)


def _json_in(text: str) -> object:
    if text.lstrip()[:1] not in {"{", "["} or len(text) > 1_000_000:
        return None
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found
