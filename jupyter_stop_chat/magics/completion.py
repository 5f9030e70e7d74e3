"""Tab completion: options, models and chats."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .commands import COMMANDS
from .defaults import SHORT, models
from .line import Line

if TYPE_CHECKING:
    from .magic import ChatMagics

_CELL = ("--model", "--chat", "--new", "--as", "--to", "--quiet", "--no-fill")
_SET = ("--model", "--as", "--quiet", "--no-quiet", "--fill", "--no-fill")
#: A word that a value follows, and how much of that is there.
_VALUE = re.compile(
    r"\s(?P<word>--model|-m|--as|-a|--chat|-c|--to|-t|open|show|stop)"
    r"\s+(?P<typed>\"[^\"]*|[^\s\"]*)$"
)
_FORMS = ("markdown", "code", "raw")


def complete(magics: ChatMagics) -> Callable[[Any, Any], list[str]]:
    """Return what IPython asks for completions; it is given the shell and an event."""

    def suggest(shell: Any, event: Any) -> list[str]:
        try:
            return _suggest(magics, str(event.text_until_cursor), str(event.symbol))
        except Exception:  # noqa: BLE001 - a suggestion is never worth a failure
            return []

    return suggest


def _suggest(magics: ChatMagics, line: str, symbol: str) -> list[str]:
    """Return what can stand for `symbol`, the end of the line after the last delimiter."""
    at = _VALUE.search(line)
    if at is None:
        if line.startswith("%%"):
            return list(_CELL)
        return list(_SET if line.split()[1:2] == ["set"] else COMMANDS)
    typed, before = at["typed"], len(at["typed"]) - len(symbol)
    offers = _values(magics, at["word"])
    return [each[before:] for each in offers if each.startswith(typed)]


def _values(magics: ChatMagics, word: str) -> list[str]:
    backend = magics.backends.backend
    if word in {"--model", "-m"}:
        return [each["id"] for each in models(backend(Line()))]
    if word in {"--as", "-a"}:
        return list(_FORMS)
    if word in {"--chat", "-c", "open", "show", "stop"}:
        return [*(["all"] if word == "stop" else []), *map(_named, backend(Line()).chats(Line()))]
    return []


def _named(chat: dict[str, Any]) -> str:
    """Return what names a chat: its title if it has a plain one, or how its id begins."""
    title = str(chat.get("title") or "")
    if not title or set(title) & set("\"'\\") or not title.isprintable():
        return str(chat["id"][:SHORT])
    return f'"{title}"' if " " in title else title
