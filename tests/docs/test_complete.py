"""What the code has, the pages tell: each error, route, frame, object, and option of a magic."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, get_args

import pytest
from IPython.core.magic_arguments import MagicArgumentParser
from pydantic import BaseModel

from jupyter_stop_chat.magics.magic import ChatMagics
from jupyter_stop_chat.server.routes import document
from jupyter_stop_chat.wire import objects, tools
from jupyter_stop_chat.wire.client_frames import ClientFrame
from jupyter_stop_chat.wire.errors import ErrorCode
from jupyter_stop_chat.wire.server_frames import ServerFrame
from tests.docs.pages import ROOT

DOCS = ROOT / "docs"
#: The objects of the wire, as its page calls them.
OBJECTS: dict[str, type[BaseModel]] = {
    "chat": objects.Chat,
    "message": objects.Message,
    "tool call": tools.ToolCall,
    "left out": objects.LeftOut,
    "usage": objects.Usage,
    "stop": objects.Receipt,
    "error": objects.ErrorInfo,
    "model": objects.ModelInfo,
    "retry": objects.Retry,
}
#: Words that stand for fields in a row that would be too long with them.
STAND_FOR = {
    "tool": (set(tools.ToolCall.model_fields), "a tool call"),
    "stop_result": ({"message_id", "request_id", "chat_id", "all"}, "the target"),
}


def rows(page: str) -> list[list[str]]:
    """Return the cells of each table's rows in a page."""
    text = (DOCS / page).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def frames(union: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the frames of one direction, by their types."""
    for each in get_args(get_args(union)[0]):
        field = each.model_fields["type"]
        yield (get_args(field.annotation) or (field.default,))[0], each


def untold(fields: Iterable[str], told: list[list[str]], words: str = "") -> list[str]:
    """Return the fields that no row names."""
    text = " ".join(" ".join(row[1:]) for row in told)
    covered = STAND_FOR[words][0] if words in STAND_FOR and STAND_FOR[words][1] in text else set()
    return [name for name in fields if name not in covered and not re.search(rf"\b{name}\b", text)]


@pytest.mark.parametrize("union", [ClientFrame, ServerFrame], ids=["client", "server"])
def test_each_frame_and_each_of_its_fields(union: Any) -> None:
    """H13: in the row of its type."""
    table = rows("building/protocol.md")
    lost = []
    for name, model in frames(union):
        told = [row for row in table if f"`{name}`" in row[0]]
        fields = [each for each in model.model_fields if each != "type"]
        lost += [f"{name}.{each}" for each in untold(fields, told, name)] if told else [name]
    assert lost == []


def test_each_object_and_each_of_its_fields() -> None:
    """H13: in the row of its name."""
    table = rows("building/protocol.md")
    lost = []
    for name, model in OBJECTS.items():
        told = [row for row in table if row[0].split(" (")[0] == name]
        assert len(told) == 1, name
        lost += [f"{name}.{each}" for each in untold(model.model_fields, told)]
    assert lost == []


def test_each_route_with_each_method() -> None:
    """H13: in the table of the HTTP API, or in that of MCP servers, to which it leads."""
    told = set()
    for row in [*rows("building/api.md"), *rows("using/mcp.md")]:
        path = ""
        for method, named in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) ([^`?]+)", row[0]):
            path = path if named == "…" else re.sub(r"\{\w+\}", "{}", named)
            told.add((method, path))
    lost = []
    for path, methods in document()["paths"].items():
        shown = re.sub(r"\{\w+\}", "{}", path.strip("/"))
        shown_by_name = shown.replace(
            "providers/{}/address", "providers/openai_compatible/address"
        )
        for method in methods.keys() - {"parameters"}:
            if not {(method.upper(), shown), (method.upper(), shown_by_name)} & told:
                lost.append(f"{method.upper()} {path}")
    assert lost == []


def test_each_error() -> None:
    """H13: with its sentence; the page is made from the codes themselves."""
    script = ROOT / "scripts" / "generate_errors.py"
    subprocess.run([sys.executable, "-P", str(script), "--check"], check=True)
    told = [row[0].strip("`") for row in rows("building/errors.md")]
    assert [code.value for code in ErrorCode] == [each for each in told if each in set(ErrorCode)]


@pytest.mark.parametrize("magic", [ChatMagics.cell, ChatMagics.error], ids=["chat", "chat_error"])
def test_each_option_of_a_magic(magic: Callable[..., Any]) -> None:
    """H13: all that the parser takes stands in the table of options."""
    parser: MagicArgumentParser = magic.parser  # type: ignore[attr-defined]
    table = " ".join(row[0] for row in rows("using/magics.md"))
    options = [name for action in parser._actions for name in action.option_strings]
    assert len(options) > 10
    assert [name for name in options if not re.search(rf"(?<![\w-]){name}\b", table)] == []
