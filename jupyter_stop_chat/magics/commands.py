"""What `%chat` does, by its first word."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timedelta
from typing import Any, NoReturn

from IPython.core.error import UsageError

from jupyter_stop_chat.documents.endings import ending, interruption
from jupyter_stop_chat.documents.reading_order import in_reading_order
from jupyter_stop_chat.wire.errors import StopChatError

from .backends.base import Backend
from .completion import SET
from .defaults import SHORT, Backends, Defaults, find_chat, models
from .help import mistake, table
from .line import Line
from .outcome import ChatFailed

_PLURAL = 2
_LEFT = (
    "goes on: the other Jupyter server or kernel that makes it has not answered yet."
    " The stop is left for it."
)
_LEFT_MANY = (
    "go on: the other Jupyter servers or kernels that make them have not answered yet."
    " The stop is left for them."
)
_BUSY = {"generating": "being made", "queued": "waits", "paused": "paused"}
_A_WEEK = timedelta(days=6)


class Commands:
    """What runs one command.

    :param rich: whether Markdown can be shown.
    """

    def __init__(self, backends: Backends, defaults: Defaults, *, rich: bool) -> None:
        self._backends = backends
        self._defaults = defaults
        self._rich = rich

    def run(self, name: str, words: list[str]) -> None:
        """Do what a person asked for.

        :raises ChatFailed: with a sentence, when it cannot be done.
        """
        try:
            getattr(self, f"_{name}")(words)
        except StopChatError as error:
            raise ChatFailed(error.sentence) from None
        except OSError:
            self._backends.forget()
            raise ChatFailed("Jupyter Server does not answer. Try again.") from None

    @property
    def _backend(self) -> Backend:
        return self._backends.backend(Line())

    def _list(self, words: list[str]) -> None:
        backend = self._backend
        chats = backend.chats(Line(), query=" ".join(words))
        _say(f"Chats on {backend.label}:" if chats else f"No chats on {backend.label}.")
        now = datetime.now().astimezone()
        rows = [(ago(each["updated_at"], now), _BUSY.get(each["state"], "")) for each in chats]
        wide = [max(map(len, column), default=0) for column in zip(*rows, strict=True)]
        for chat, row in zip(chats, rows, strict=True):
            here = "*" if chat["id"] == self._defaults.chat_id else " "
            told = "".join(
                f"{each:<{most}}  " for each, most in zip(row, wide, strict=True) if most
            )
            _say(f"{here} {chat['id'][:SHORT]}  {told}{_line(chat.get('title') or 'Untitled')}")

    def _open(self, words: list[str]) -> None:
        chat_id = find_chat(self._backend, _name(words), Line())
        chat = self._backend.chat(chat_id)["chat"]
        self._defaults.chat_id = chat_id
        _say(f"The next %%chat goes on with {_line(chat.get('title') or 'Untitled')!r}.")

    def _new(self, words: list[str]) -> None:
        _no_more(words)
        self._defaults.chat_id = None
        _say("The next %%chat begins a new chat.")

    def _show(self, words: list[str]) -> None:
        from jupyter_stop_chat.markdown.html import heading, page
        from jupyter_stop_chat.markdown.plain import plain

        chat_id = self._chat_id(words)
        if chat_id is None:
            raise ChatFailed("This notebook has no chat yet. Name one; see %chat.")
        found = self._backend.chat(chat_id)
        rich, lines = [heading(_line(found["chat"].get("title") or "Chat"), 3)], []
        for message in in_reading_order(
            found["messages"], lambda each: (each["id"], each.get("reply_to"))
        ):
            who = "You" if message["role"] == "user" else "Reply"
            note = ending(message.get("finish_reason"), message["text"])
            if not note and message["state"] == "interrupted":
                note = interruption((message.get("stop") or {}).get("reason"))
            if message.get("error"):
                note = f"Generation failed: {message['error']['message']}"
            text = message["text"]
            rich.append(f"<p><strong>{who}</strong></p>\n{page(text, below=note)}")
            lines.append(plain(f"{who}: {text}" + (f"\n[{note}]" if note else "")))
        if not self._rich:
            _say("\n\n".join(lines))
            return
        from IPython.display import display

        display({"text/plain": "\n\n".join(lines), "text/html": "\n".join(rich)}, raw=True)

    def _stop(self, words: list[str]) -> None:
        everything = not words or words == ["all"]
        target = {} if everything else {"chat_id": self._chat_id(words)}
        outcomes = [each["outcome"] for each in self._backend.stop(target)]
        stopped, left = outcomes.count("interrupted"), outcomes.count("made_elsewhere")
        if stopped or not left:
            _say(f"{_replies(stopped)} stopped." if stopped else "Nothing was being made.")
        if left:
            _say(f"{_replies(left)} {_LEFT if left < _PLURAL else _LEFT_MANY}")

    def _models(self, words: list[str]) -> None:
        _no_more(words)
        usual = self._defaults.model or self._backend.models().get("default_model")
        for model in models(self._backend):
            here = "*" if model["id"] == usual else " "
            _say(f"{here} {model['id']}  {_line(model['label'])}")

    def _set(self, words: list[str]) -> None:
        parser = _Parser(prog="%chat set", add_help=False)
        parser.add_argument("--model", "-m")
        parser.add_argument("--as", "-a", dest="form", choices=("markdown", "code", "raw"))
        parser.add_argument("--quiet", "-q", action=argparse.BooleanOptionalAction)
        parser.add_argument("--fill", action=argparse.BooleanOptionalAction)
        try:
            asked = parser.parse_args(words)
        except UsageError as error:
            raise UsageError(mistake(str(error), words, SET, parser)) from None
        defaults = self._defaults
        if asked.model is not None:
            defaults.model = asked.model or None
        if asked.form is not None:
            defaults.form = asked.form
        if asked.quiet is not None:
            defaults.quiet = asked.quiet
        if asked.fill is not None:
            defaults.fill = asked.fill
        model = defaults.model or "the server's default"
        quiet, fill = ("yes" if each else "no" for each in (defaults.quiet, defaults.fill))
        _say(f"model: {model}; as: {defaults.form}; quiet: {quiet}; fill: {fill}")

    def _chat_id(self, words: list[str]) -> str | None:
        return find_chat(self._backend, _name(words), Line()) if words else self._defaults.chat_id


def show_help(magic: Any, *, rich: bool) -> None:
    """Show the commands of `%chat` and the options of `%%chat`.

    :param magic: knows the options.
    """
    options = [
        (
            ", ".join(each.option_strings) + ("" if each.nargs == 0 else f" {_takes(each)}"),
            (each.help or "").replace("%%", "%"),
        )
        for each in magic.parser._actions
        if each.option_strings
    ]
    shown = table(options, rich=rich)
    if not rich:
        _say(shown["text/plain"])
        return
    from IPython.display import display

    display(shown, raw=True)


def _replies(count: int) -> str:
    return f"{count} {'replies' if count >= _PLURAL else 'reply'}"


def _takes(action: argparse.Action) -> str:
    return (
        "|".join(action.choices) if action.choices else str(action.metavar or action.dest).upper()
    )


def ago(written: str, now: datetime) -> str:
    """Say when something was, as briefly as that is clear; nothing where it is no time.

    :param written: ISO 8601.
    :param now: with a time zone, in which it is said.
    """
    try:
        at = datetime.fromisoformat(written).astimezone(now.tzinfo)
    except (ValueError, OverflowError):
        return ""
    if at.date() == now.date():
        return f"{at:%H:%M}"
    return f"{at:%a %H:%M}" if timedelta(0) <= now - at < _A_WEEK else f"{at:%Y-%m-%d}"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def _name(words: list[str]) -> str:
    if not words:
        raise UsageError("Name a chat, by its title or its id.")
    return " ".join(words)


def _no_more(words: list[str]) -> None:
    if words:
        raise UsageError(f"Nothing follows here, and not {words[0]!r}.")


def _line(text: str) -> str:
    """Make one harmless line of what others wrote."""
    return "".join(each if each.isprintable() else " " for each in text)


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
