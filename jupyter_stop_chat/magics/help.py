"""What `%chat help` shows, and what a person may have meant who mistyped something."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

#: Each command of `%chat`: how it is written, and what it does.
COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("[list [WORDS]]", "the newest chats, or those in which the words are"),
    "open": ("open TITLE|ID", "the next %%chat goes on with this chat"),
    "new": ("new", "the next %%chat begins a chat"),
    "show": ("show [TITLE|ID]", "a chat's messages; without a name, those of this notebook's"),
    "stop": ("stop [TITLE|ID|all]", "stop what is being made in a chat; without a name, in all"),
    "models": ("models", "the models that can be chosen"),
    "set": ("set OPTIONS", "what %%chat does when it is not told: %chat set --model M --as raw"),
    "help": ("help", "this table"),
}
_CHOICE = re.compile(r"argument (?P<name>\S+): invalid choice: '(?P<given>.*?)'")
_EXPECTED = re.compile(r"argument (?P<name>\S+): expected one argument")


def table(options: Iterable[tuple[str, str]], *, rich: bool) -> dict[str, str]:
    """Return the help as plain text, and as HTML where that can be shown.

    :param options: those of `%%chat`, and what each does.
    """
    commands = [(f"%chat {usage}", does) for usage, does in COMMANDS.values()]
    commands.append(("%chat_error [OPTIONS] [QUESTION]", "ask about the last error of a cell"))
    own = [(f"%%chat {usage}", does) for usage, does in options]
    widest = max(len(usage) for usage, _ in (*commands, *own))
    plain = "\n".join(f"{usage:<{widest}}  {does}" for usage, does in (*own, *commands))
    shown = {"text/plain": plain}
    if rich:
        from jupyter_stop_chat.markdown.html import words

        rows = "".join(
            f"<tr><td style='text-align:left'><code>{words(usage)}</code></td>"
            f"<td style='text-align:left'>{words(does)}</td></tr>"
            for usage, does in (*own, *commands)
        )
        shown["text/html"] = f"<table>{rows}</table>"
    return shown


def nearest(given: str, known: Iterable[str]) -> str:
    """Return the one of what is known that was probably meant, or nothing."""
    found = get_close_matches(given, list(known), 1, 0.6)
    return found[0] if found else ""


def mistake(said: str, given: Sequence[str], options: Sequence[str], parser: Any) -> str:
    """Say in a sentence what is wrong with options, and which was probably meant.

    :param said: what the parser says.
    :param given: what was written.
    :param parser: knows what an option takes.
    """
    if found := _CHOICE.match(said):
        name = found["name"].split("/")[0]
        choices = next(each.choices for each in parser._actions if name in each.option_strings)
        meant = _meant(nearest(found["given"], choices))
        return f"{name} takes {_either(choices)}, and not {found['given']!r}.{meant}"
    if found := _EXPECTED.match(said):
        return f"{found['name'].split('/')[0]} takes a value behind it."
    for word in (each.split("=")[0] for each in given):
        if word.startswith("-") and not any(one.startswith(word) for one in options):
            meant = _meant(nearest(word, options))
            return f"There is no option {word!r}.{meant} %chat help lists them all."
    stray = re.match(r"unrecognized arguments: (.*)", said, re.DOTALL)
    if stray:
        return f"Nothing but options stands here, and not {stray[1]!r}. %chat help lists them all."
    return said


def _meant(word: str) -> str:
    return f" Did you mean {word!r}?" if word else ""


def _either(choices: Sequence[str]) -> str:
    *first, last = choices
    return f"{', '.join(first)} or {last}"
