"""Read the arguments of a call as its model wrote them: nothing is guessed, and nothing mended."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jupyter_stop_chat.ports.tools import LONGEST_ARGS, Tool, ToolError
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.codec import loads
from jupyter_stop_chat.wire.utf16 import whole_json

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

#: Longer ones are read in a thread, in characters.
LONG_ARGS = 4 * 1024
#: So much of what is wrong with them is told, in characters: it may quote them.
_LONGEST_REASON = 300


async def arguments_of(raw: str, tool: Tool) -> dict[str, Any]:
    """Return the arguments of a call, as `read_arguments` does, and hold nobody up meanwhile.

    :raises ToolError: it is no JSON object, is too long, or does not fit the schema.
    """
    # To look at a list of many numbers takes long; so does the first look at anything.
    if len(raw) <= LONG_ARGS and "jsonschema" in sys.modules:
        return read_arguments(raw, tool)
    return await in_thread(read_arguments, raw, tool)


def read_arguments(raw: str, tool: Tool) -> dict[str, Any]:
    """Return the arguments of a call, as a tool's schema wants them. Blocks.

    :param raw: JSON as the model wrote it. Some providers write none where there are no arguments.
    :raises ToolError: it is no JSON object, is too long, or does not fit the schema.
    """
    if len(raw) > LONGEST_ARGS:
        raise ToolError(f"The arguments are longer than {LONGEST_ARGS:,} characters.")
    try:
        args = whole_json(loads(raw)) if raw.strip() else {}
    except RecursionError:
        raise ToolError("The arguments are nested too deeply.") from None
    except ValueError as error:
        raise ToolError(f"The arguments are no valid JSON: {_cut(str(error))}.") from None
    if not isinstance(args, dict):
        raise ToolError("The arguments are not a JSON object.")
    wrong = next(iter(_validator(tool).iter_errors(args)), None)
    if wrong is not None:
        where = ".".join(map(str, wrong.absolute_path))
        at = f" ({where})" if where else ""
        raise ToolError(f"The arguments do not fit the tool{at}: {_cut(wrong.message)}")
    return args


@lru_cache(maxsize=256)
def _validator_of(key: _ById) -> Validator:
    # Here, since the server's start would wait for it.
    from jsonschema.validators import validator_for

    schema = key.schema
    validator: Validator = validator_for(schema)(schema)
    return validator


class _ById:
    """A schema as the key of a cache: one object is one schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.schema is self.schema


def _validator(tool: Tool) -> Validator:
    return _validator_of(_ById(tool.parameters))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 1] + "…"
