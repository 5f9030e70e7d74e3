"""The tools that installed packages offer to chats, by an entry point."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from traceback import format_tb
from typing import Any, get_args

from jupyter_stop_chat.ports.tools import Tool
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.tools import Touches

log = logging.getLogger(__name__)

#: Each names a `Tool`, several, or a function that returns them.
ENTRY_POINTS = "jupyter_stop_chat.tools"
#: What every provider takes as a name.
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class OthersTools:
    """What offers the tools of other packages, once they were found.

    :param taken: the names of ours, which no other tool may have.
    :ivar found: them, from then on; a package may take long to import.
    """

    def __init__(self, taken: Collection[str]) -> None:
        self.found: tuple[Tool, ...] = ()
        self._taken = taken

    async def find(self) -> None:
        """Find them."""
        self.found = await in_thread(find_tools, self._taken)


def find_tools(taken: Collection[str] = ()) -> tuple[Tool, ...]:
    """Return the tools that packages offer, once they are imported. Blocks.

    A package that is broken, or offers what is none, costs the others nothing.

    :param taken: the names of ours, which no other tool may have.
    """
    names = set(taken)
    found: list[Tool] = []
    for point in entry_points(group=ENTRY_POINTS):
        for tool in _offered(point):
            if tool.name in names:
                log.warning("the tool %r of %s is left out: its name", tool.name, point.value)
                continue
            names.add(tool.name)
            found.append(tool)
    return tuple(found)


def _offered(point: EntryPoint) -> Iterator[Tool]:
    try:
        offered: Any = point.load()
        if not isinstance(offered, Tool) and callable(offered):
            offered = offered()
        for each in offered if isinstance(offered, Iterable) else [offered]:
            if isinstance(each, Tool) and _is_sound(each):
                yield each
            else:
                log.warning("%s offers what is no tool: %s", point.value, type(each).__name__)
    except BaseException as error:  # noqa: BLE001 - it may be any package's, which may even exit
        # Its own words may hold a key.
        name, frames = type(error).__name__, "".join(format_tb(error.__traceback__))
        log.warning("the tools of %s cannot be used: %s at\n%s", point.value, name, frames)


def _is_sound(tool: Tool) -> bool:
    """Tell whether models can be offered a tool: one that is broken would spoil every request."""
    schema: Any = tool.parameters
    if not (isinstance(tool.name, str) and _NAME.fullmatch(tool.name)):
        return False
    if not (isinstance(tool.description, str) and tool.touches in get_args(Touches)):
        return False
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        return False
    # Here, since the server's start would wait for it.
    from jsonschema.validators import validator_for

    plain = json.loads(json.dumps(dict(schema), allow_nan=False))
    validator_for(plain).check_schema(plain)
    return True
