"""Tell of every setting: its name, what it may be, its default, what it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr
from traitlets import HasTraits

from .check import words_of

#: What stands for a key or a password.
_MASK = "**********"
#: Who asks and with which password, in an address.
_USER = re.compile(r"(?<=://)[^/@\s]+@")
#: Values behind the question mark of an address: some databases take passwords there.
_QUERY = re.compile(r"(?<==)[^&\s]+")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, in words; no key and no password is in it.

    :ivar may_be: what it takes.
    :ivar value: what is in effect.
    """

    name: str
    may_be: str
    default: str
    value: str
    help: str


def settings_of(app: HasTraits) -> Iterator[Setting]:
    """Yield the settings that are this package's own, by their names."""
    section = type(app).__name__
    package = type(app).__module__.partition(".")[0]
    for name, trait in sorted(app.traits(config=True).items()):
        if trait.this_class.__module__.partition(".")[0] != package:
            continue
        yield Setting(
            name=f"{section}.{name}",
            may_be=words_of(trait),
            default=_shown(trait.default(app)),
            value=_shown(getattr(app, name)),
            help=" ".join(str(trait.help).split()),
        )


def _shown(value: Any) -> str:
    return repr(_masked(value))


def _masked(value: Any) -> Any:
    match value:
        case SecretStr():
            return _MASK
        case Mapping():
            return {name: _masked(each) for name, each in value.items()}
        case list() | tuple():
            return [_masked(each) for each in value]
        case str() if "://" in value:
            address, mark, query = _USER.sub(f"{_MASK}@", value).partition("?")
            return address + mark + _QUERY.sub(_MASK, query)
    return value
