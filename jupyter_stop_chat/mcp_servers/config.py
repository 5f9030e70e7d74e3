"""What is said of MCP servers: by the administrator, and in a file of the person's own.

The shape is that of other editors: `{"mcpServers": {name: {command, args, env}}}`, or with a `url`
and `headers`. What else they write, such as which tools run unasked, counts for nothing here.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import SecretStr

from jupyter_stop_chat.ports.mcp import McpRules
from jupyter_stop_chat.wire.secrets import SECRET_NAME

from .text import plain

Kind = Literal["stdio", "http"]
#: The settings of the server, or the person's own file.
Source = Literal["settings", "own"]

#: So many servers are looked at.
MOST_SERVERS = 50
LONGEST_NAME = 100
#: `${env:NAME}`, `${NAME}`, and `${NAME:-otherwise}`.
_VARIABLE = re.compile(r"\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
#: What is no secret of anybody's: a log without it would tell nothing.
_PLAIN = frozenset(["HOME", "USER", "LOGNAME", "SHELL", "PATH", "PWD", "LANG", "TERM", "TMPDIR"])
#: An option with what it is set to.
_SET = re.compile(r"-{0,2}([A-Za-z][\w-]*)=(.+)", re.DOTALL)
#: What would still stand there where one was meant, such as VS Code's `${input:key}`.
_UNKNOWN = re.compile(r"\$\{[^}]*\}")


class ConfigError(Exception):
    """What is wrong with a server's entry, in words for people."""


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One server as it is to be reached; it has no print-out, as keys may be in it.

    :ivar command: with its arguments; empty for one that is reached by HTTP.
    :ivar env: what its process gets besides what every process needs.
    :ivar keys: what is masked in all that it says.
    :ivar said: what was said of it, before variables were looked up; no values of `env` and
        `headers`.
    :ivar failure: why it cannot be used, in words.
    """

    name: str
    source: Source
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    said: str = ""
    keys: frozenset[str] = frozenset()
    failure: str | None = None

    @property
    def kind(self) -> Kind:
        """Return how it is reached."""
        return "http" if self.url else "stdio"

    @property
    def secrets(self) -> list[str]:
        """List what is masked in all that it says."""
        return [each for each in self.keys if len(each) >= 4]


def entries_of(
    rules: McpRules,
    owner: str,
    own: Mapping[str, Any],
    environ: Callable[[str], str | None] = os.environ.get,
) -> dict[str, Entry]:
    """Return the servers that somebody has, by their names.

    The administrator's come first, and nobody can put another in the place of one.

    :param own: what the person's file says.
    """
    found: dict[str, Entry] = {}
    for name, said in list(rules.servers.items())[:MOST_SERVERS]:
        found[name] = _entry(name, "settings", said, environ)
    if rules.lets(owner):
        for written, said in list(own.items())[:MOST_SERVERS]:
            # Cleaned first: with a sign in it that is not seen, a name could become another's.
            name = plain(written, LONGEST_NAME)
            if name and name not in found and not _is_off(said):
                found[name] = _checked(_entry(name, "own", said, environ), rules.allowed)
    return found


def servers_in(raw: bytes) -> dict[str, Any]:
    """Return what a file says of servers.

    :raises ConfigError: it is no such file.
    """
    try:
        held = json.loads(raw) if raw.strip() else {}
        servers = held.get("mcpServers", held.get("servers", {}))
        return {str(name): said for name, said in servers.items() if str(name).strip()}
    except (ValueError, AttributeError, RecursionError):
        raise ConfigError('It is no JSON of the form {"mcpServers": {…}}.') from None


def fault_in(said: Any) -> str | None:
    """Say what is wrong with a server's entry, if anything; variables are not looked up."""
    try:
        _read("", "settings", said, lambda name: "")
    except ConfigError as error:
        return str(error)
    return None


def fingerprint(entry: Entry) -> str:
    """Return what changes with what an entry says, keys and all; it tells nobody of them."""
    parts = [entry.name, entry.source, entry.command, dict(entry.env), entry.url]
    said = json.dumps([*parts, dict(entry.headers), entry.failure], sort_keys=True)
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()


def _is_off(said: Any) -> bool:
    return isinstance(said, Mapping) and said.get("disabled") is True


def _checked(entry: Entry, allowed: tuple[str, ...]) -> Entry:
    """Refuse a person's entry that no pattern allows.

    What a command gets in its environment can make another of it: where there are patterns, it
    gets nothing.
    """
    if not allowed or entry.failure is not None:
        return entry
    what = entry.url or " ".join(entry.command)
    if any(fnmatchcase(what, each) for each in allowed) and not entry.env:
        return entry
    words = "The server's administrator does not allow it."
    if entry.env:
        words += " An env is not allowed either."
    return Entry(entry.name, "own", url=entry.url, said=entry.said, failure=words)


def _entry(name: str, source: Source, said: Any, environ: Callable[[str], str | None]) -> Entry:
    try:
        return _read(name, source, said, environ)
    except ConfigError as error:
        is_http = isinstance(said, Mapping) and "url" in said
        return Entry(name, source, url="-" if is_http else "", failure=str(error))


def _read(name: str, source: Source, said: Any, environ: Callable[[str], str | None]) -> Entry:
    if not isinstance(said, Mapping):
        raise ConfigError("Its entry needs a command or a url.")
    kind = said.get("type", "")
    if kind == "sse":
        raise ConfigError("It is of the type sse, which is no more; ask for its address of http.")

    keys: set[str] = set()

    def look_up(value: Any) -> str:
        return _looked_up(value, environ, keys)

    url, command = said.get("url"), said.get("command")
    if isinstance(url, str) and url:
        if not url.startswith(("http://", "https://", "${")):
            raise ConfigError("Its url must begin with http:// or https://.")
        headers = {key: look_up(each) for key, each in _texts(said, "headers").items()}
        # What stands behind a word such as Bearer, as well.
        keys.update(
            headers.values(), (each.split()[-1] for each in headers.values() if each.split())
        )
        looked_up = look_up(url)
        keys |= {looked_up} - {url}
        return Entry(name, source, url=looked_up, headers=headers, said=url, keys=frozenset(keys))
    if isinstance(command, str) and command.strip():
        args = said.get("args", [])
        if not isinstance(args, list | tuple) or not all(isinstance(each, str) for each in args):
            raise ConfigError("Its args must be a list of texts.")
        env = {key: look_up(each) for key, each in _texts(said, "env").items()}
        words = tuple(look_up(each) for each in (command, *args))
        keys.update(env.values(), set(words) - {command, *args}, _keys_in(words))
        told = "\n".join((command, *args))
        return Entry(name, source, command=words, env=env, said=told, keys=frozenset(keys))
    raise ConfigError("Its entry needs a command or a url.")


def _texts(said: Mapping[str, Any], field_: str) -> dict[str, Any]:
    """Return the values of a field that holds texts by name."""
    held = said.get(field_) or {}
    if not isinstance(held, Mapping) or not all(
        isinstance(name, str) and isinstance(each, str | SecretStr) for name, each in held.items()
    ):
        raise ConfigError(f"Its {field_} must be texts by their names.")
    return dict(held)


def _keys_in(words: Sequence[str]) -> Iterator[str]:
    """Find what options are set to whose names are those of keys."""
    for option, word in zip(("", *words), words, strict=False):
        if (found := _SET.fullmatch(word)) is not None and SECRET_NAME.search(found[1]):
            yield found[2]
        if option.startswith("-") and SECRET_NAME.search(option):
            yield word


def _looked_up(
    value: str | SecretStr, environ: Callable[[str], str | None], keys: set[str]
) -> str:
    """Put the values of variables in their places.

    :param keys: is given those that may be secrets.
    """
    text = value.get_secret_value() if isinstance(value, SecretStr) else value

    def put(found: re.Match[str]) -> str:
        held = environ(found[1])
        if held is None and found[2] is None:
            raise ConfigError(
                f"It names a variable of the environment that is not set: {found[1]}."
            )
        if held is not None and found[1] not in _PLAIN:
            keys.add(held)
        return found[2] if held is None else held

    if any(_VARIABLE.fullmatch(each) is None for each in _UNKNOWN.findall(text)):
        raise ConfigError("It names with ${…} what is no variable of the environment.")
    text = _VARIABLE.sub(put, text)
    if "\0" in text or "\n" in text or "\r" in text:
        raise ConfigError("Something in its entry has a line's end in it.")
    return text
