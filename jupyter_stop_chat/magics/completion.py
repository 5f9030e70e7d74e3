"""Tab completion: options, models and chats, and nothing of Python's where those fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)

from .defaults import SHORT, models
from .help import COMMANDS
from .line import Line

if TYPE_CHECKING:
    from .magic import ChatMagics

#: Each option of `%%chat`, its short form, and whether a value follows it.
CELL = {
    "--model": "-m",
    "--chat": "-c",
    "--new": "-n",
    "--as": "-a",
    "--to": "-t",
    "--quiet": "-q",
    "--no-fill": "",
}
SET = ("--model", "--as", "--quiet", "--no-quiet", "--fill", "--no-fill")
#: A line of ours up to the caret, and the word that is being written.
_OURS = re.compile(
    r"(?P<magic>%%chat|\s*%chat(?:_error)?)"
    r"(?P<before>\s(?:(?:\"[^\"]*\"|[^\"])*\s)?)(?P<typed>\"[^\"]*|[^\s\"]*)$"
)
#: The word that a value follows, at the end of what is before it.
_VALUE = re.compile(r"\s(?P<word>--model|-m|--as|-a|--chat|-c|--to|-t|open|show|stop)\s+$")
_FORMS = ("markdown", "code", "raw")
IDENTIFIER = "jupyter_stop_chat"


def matcher(magics: ChatMagics) -> Callable[[CompletionContext], SimpleMatcherResult]:
    """Return what IPython asks for completions; what it offers stands alone."""

    @context_matcher(identifier=IDENTIFIER, priority=1000)
    def match(context: CompletionContext) -> SimpleMatcherResult:
        found = None
        if context.cursor_line == 0 or not context.line_with_cursor.startswith("%%"):
            found = _OURS.match(context.text_until_cursor)
        if found is None:
            return SimpleMatcherResult(completions=[])
        typed = found["typed"]
        try:
            offers = _offers(magics, found["magic"].strip(), found["before"])
            fit = [each for each in offers if each.text.startswith(typed)]
        except Exception:  # noqa: BLE001 - a suggestion is never worth a failure
            fit = []
        return SimpleMatcherResult(
            completions=fit, matched_fragment=typed, suppress=bool(fit), ordered=True
        )

    return match  # type: ignore[no-any-return]


def _offers(magics: ChatMagics, magic: str, before: str) -> list[SimpleCompletion]:
    """Return what can stand behind what is before the caret."""
    value = _VALUE.search(before)
    if value is not None and (magic != "%chat_error" or value["word"].startswith("-")):
        return list(_values(magics, value["word"]))
    words = before.split()
    if magic in {"%%chat", "%chat_error"}:
        own = [each for each in CELL if magic == "%%chat" or each != "--no-fill"]
        return _typed("option", [each for each in own if not {each, CELL[each]} & set(words)])
    if words[:1] == ["set"]:
        return _typed("option", [each for each in SET if each not in words])
    return _typed("command", COMMANDS) if not words else []


def _values(magics: ChatMagics, word: str) -> Iterator[SimpleCompletion]:
    backend = magics.backends.backend
    if word in {"--model", "-m"}:
        yield from _typed("model", [each["id"] for each in models(backend(Line()))])
    elif word in {"--as", "-a"}:
        yield from _typed("form", _FORMS)
    elif word in {"--chat", "-c", "open", "show", "stop"}:
        yield from _typed("chat", ["all"] if word == "stop" else [])
        yield from _typed("chat", map(_named, backend(Line()).chats(Line())))
    elif magics.shell is not None:
        own = [each for each in magics.shell.user_ns if not each.startswith("_")]
        hidden = magics.shell.user_ns_hidden
        yield from _typed("variable", sorted(each for each in own if each not in hidden))


def _typed(kind: str, texts: Iterable[str]) -> list[SimpleCompletion]:
    return [SimpleCompletion(text, type=kind) for text in texts]


def _named(chat: dict[str, Any]) -> str:
    """Return what names a chat: its title if it has a plain one, or how its id begins."""
    title = str(chat.get("title") or "")
    if not title or set(title) & set("\"'\\") or not title.isprintable():
        return str(chat["id"][:SHORT])
    return f'"{title}"' if " " in title else title
