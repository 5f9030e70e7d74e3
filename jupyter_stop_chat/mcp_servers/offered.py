"""A server's tools as models are offered them: names that all providers take, and plain schemas.

What a server says is cut and cleaned, and no word of it changes what a tool may do: each is asked
for, whatever its server says that it does. Schemas are made anew of what is known in them, without
references and patterns: to look at arguments takes no longer than they are long.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from .text import is_plain, plain

#: So many tools of one server are known: more than a request has room for, so that a person can
#: choose among them.
MOST_TOOLS = 512
#: What every provider takes as a name.
LONGEST_NAME = 64
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
LONGEST_DESCRIPTION = 2000
LONGEST_HINT = 500
#: So much of a schema is told, in parts and in depth; what is longer may be anything.
MOST_PARTS = 1500
DEEPEST = 12
MOST_PROPERTIES = 500
#: What every provider takes as the name of an argument.
_PROPERTY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
#: So many of the others are told, of so many letters.
MOST_UNFIT = 20
LONGEST_UNFIT = 80
#: So many letters of it are told, and of all that one server offers.
MOST_LETTERS = 20_000
MOST_OFFERED = 400_000
#: No other number is one for everybody who reads JSON.
LARGEST_NUMBER = 1e300
_NUMBERS = frozenset(
    [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
    ]
)
_TYPES = frozenset(["string", "number", "integer", "boolean", "object", "array", "null"])


@dataclass(frozen=True, slots=True)
class Offered:
    """One tool as its server tells of it.

    :ivar name: its server's own name for it.
    :ivar description: cut and cleaned.
    :ivar parameters: the schema of its arguments, made anew.
    :ivar edition: the digest of all that its server says of it.
    :ivar unfit: its arguments whose names not every provider takes; they are left out.
    :ivar can_be_called: it can without those.
    """

    name: str
    description: str
    edition: str
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})
    unfit: tuple[str, ...] = ()
    can_be_called: bool = True


def offered(server: str, said: str, tools: Iterable[Mapping[str, Any]]) -> list[Offered]:
    """Return a server's tools. Blocks.

    :param said: what was said of the server itself, which makes tools others as well.
    :param tools: as the server tells of them.
    """
    found: dict[str, Offered] = {}
    room = MOST_OFFERED
    for tool in tools:
        name = str(tool.get("name") or "")
        if not name or name in found:
            continue
        if len(found) == MOST_TOOLS or room < 0:
            break
        described = tool.get("description") or tool.get("title") or ""
        told = [server, said, name, described, tool.get("inputSchema"), tool.get("annotations")]
        schemas = Schemas(tool.get("inputSchema"))
        made = Offered(
            name=name,
            description=plain(str(described), LONGEST_DESCRIPTION),
            edition=hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32],
            parameters=schemas.parameters(),
            unfit=tuple(schemas.unfit),
            can_be_called=not schemas.misses,
        )
        room -= len(made.description) + len(json.dumps(made.parameters))
        if room >= 0:
            found[name] = made
    return list(found.values())


def names_of(tools: Iterable[tuple[str, str]], taken: Collection[str] = ()) -> list[str]:
    """Return the names by which models know tools, no two the same.

    :param tools: servers and their names for them.
    :param taken: names that none may have.
    """
    given: list[str] = []
    known = set(taken)
    for server, tool in tools:
        name = f"{_NOT_IN_NAMES.sub('_', server)}__{_NOT_IN_NAMES.sub('_', tool)}"
        digest = hashlib.sha256(json.dumps([server, tool]).encode()).hexdigest()
        if len(name) > LONGEST_NAME or name in known:
            name = f"{name[: LONGEST_NAME - 9]}_{digest[:8]}"
        while name in known:
            digest = hashlib.sha256(digest.encode()).hexdigest()
            name = f"{name[: LONGEST_NAME - 9]}_{digest[:8]}"
        known.add(name)
        given.append(name)
    return given


def _is_sound(schema: Mapping[str, Any]) -> bool:
    # Here, since the server's start would wait for it.
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator

    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError):
        return False
    return True


class Schemas:
    """What makes a schema of arguments anew, of what is known in it.

    :param root: the schema, which references are looked up in as well.
    :ivar unfit: the names of arguments that were left out, as they may be shown.
    :ivar misses: one of them is required.
    """

    def __init__(self, root: Any) -> None:
        self._root = root if isinstance(root, Mapping) else {}
        self._left = MOST_PARTS
        self._letters = MOST_LETTERS
        self.unfit: dict[str, None] = {}
        self.misses = False

    def parameters(self) -> dict[str, Any]:
        """Return the schema. Blocks."""
        made = self._made(self._root, 0)
        made["type"] = "object"
        if not isinstance(made.get("properties"), dict):
            made["properties"] = {}
        return made if _is_sound(made) else {"type": "object", "properties": {}}

    def _made(self, schema: Any, depth: int) -> dict[str, Any]:
        """Return a schema of the known parts of another."""
        for _ in range(DEEPEST):
            reference = schema.get("$ref") if isinstance(schema, Mapping) else None
            if not isinstance(reference, str):
                break
            beside = {name: each for name, each in schema.items() if name != "$ref"}
            target = self._looked_up(reference)
            schema = {**target, **beside} if isinstance(target, Mapping) else beside
        self._left -= 1
        if not isinstance(schema, Mapping) or depth > DEEPEST or self._is_full():
            return {}
        new: dict[str, Any] = {}
        for name, value in schema.items():
            kept = self._part(name, value, depth)
            if kept is not None:
                new[name] = kept
        return new

    def _part(self, name: str, value: Any, depth: int) -> Any:
        """Return what is kept of one part; None: nothing."""
        match name:
            case "type" if isinstance(value, str):
                return value if value in _TYPES else None
            case "type" if isinstance(value, list):
                return [each for each in value if each in _TYPES] or None
            case "description" | "title":
                return self._told(plain(str(value), LONGEST_HINT))
            case "properties" if isinstance(value, Mapping):
                return self._properties(value, depth)
            case "required" if isinstance(value, list):
                self.misses |= depth == 0 and not all(map(_is_name, value))
                named = filter(self._is_told, filter(_is_name, value))
                return list(dict.fromkeys(named))[:200]
            case "items" | "additionalProperties" | "not":
                return value if isinstance(value, bool) else self._made(value, depth + 1)
            case "anyOf" | "oneOf" | "allOf" if isinstance(value, list):
                return [self._made(each, depth + 1) for each in value[:50]] or None
            case "enum" if isinstance(value, list):
                self._left -= len(value[:200])
                return [each for each in value[:200] if self._is_kept(each)] or None
            case "const" | "default":
                return value if self._is_kept(value) else None
            case _ if name in _NUMBERS:
                return value if _is_number(value) else None
        return None

    def _is_full(self) -> bool:
        return self._left < 0 or self._letters < 0

    def _told(self, text: str) -> str | None:
        """Return a text if there is room for it."""
        self._letters -= len(text)
        return text if self._letters >= 0 else None

    def _is_told(self, name: str) -> bool:
        """Tell whether there is room for a name: one that is cut would be another."""
        return self._told(name) is not None

    def _is_kept(self, value: Any) -> bool:
        """Tell whether a value can be told."""
        if isinstance(value, str):
            is_short = len(value) <= LONGEST_HINT and is_plain(value)
            return is_short and self._told(value) is not None
        return value is None or isinstance(value, bool) or _is_number(value)

    def _properties(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, each in islice(value.items(), MOST_PROPERTIES):
            if depth == 0:  # none takes what is left for the others
                self._left = MOST_PARTS // min(len(value), MOST_PROPERTIES)
            if not _is_name(key):
                if len(self.unfit) < MOST_UNFIT:
                    self.unfit[plain(str(key), LONGEST_UNFIT)] = None
            elif self._is_told(key):
                made[key] = self._made(each, depth + 1)
        return made

    def _looked_up(self, reference: str) -> Any:
        """Return what a reference within the schema means; others mean anything."""
        found: Any = self._root
        if not reference.startswith("#"):
            return {}
        for step in filter(None, reference[1:].split("/")):
            key = step.replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, Mapping) else None
        return found


def _is_name(name: Any) -> bool:
    """Tell whether every provider takes a name of an argument."""
    return isinstance(name, str) and _PROPERTY.fullmatch(name) is not None


def _is_number(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= LARGEST_NUMBER
