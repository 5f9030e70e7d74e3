"""The house itself: which room may know which."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "jupyter_stop_chat"

#: What a room may import of ours, besides itself; the arrows of the architecture run one way.
FOUNDATION = {"errors", "utf16"}
MAY_IMPORT = {
    "errors": set(),
    "utf16": set(),
    "protocol": FOUNDATION,
    "usage": FOUNDATION | {"protocol"},
    "codec": FOUNDATION | {"protocol"},
    "chat_handlers.base": FOUNDATION | {"protocol"},
    "chat_handlers.thoughts": FOUNDATION | {"chat_handlers.base"},
    "bus": FOUNDATION | {"protocol", "generation"},
    "generation": FOUNDATION | {"protocol", "chat_handlers.base", "usage"},
    "store": FOUNDATION | {"protocol", "migrations", "usage"},
    "closing": set(),
    "masking": set(),
    "models": FOUNDATION | {"protocol", "closing", "masking", "chat_handlers", "local_model"},
    "engine": FOUNDATION
    | {
        "protocol",
        "chat_handlers.base",
        "chat_handlers.thoughts",
        "bus",
        "generation",
        "store.base",
        "usage",
    },
    "rates": set(),
    "connection": FOUNDATION | {"protocol", "codec", "bus", "generation", "engine", "rates"},
    "markdown": set(),
    "endings": set(),
    # A client of the HTTP API: what the server is made of is for the kernel's own engine alone.
    "magics": FOUNDATION
    | {
        "markdown",
        "endings",
        "app",
        "owners",
        "protocol",
        "reading_order",
        "reply_stream",
        "services",
        "settings_check",
        "settings_read",
    },
}
#: What the inner rooms must not know.
STRANGERS = {"tornado", "jupyter_server", "jupyter_core", "traitlets", "langchain", "sqlalchemy"}


def _files(room: str) -> list[Path]:
    folder = PACKAGE / room.replace(".", "/")
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def _imports(file: Path) -> Iterator[str]:
    inside = file.relative_to(PACKAGE.parent).with_suffix("").parts
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(inside[: -node.level]) if node.level else []
            module = [*base, *([node.module] if node.module else [])]
            yield ".".join(module)
            yield from (".".join([*module, alias.name]) for alias in node.names)


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_imports_run_one_way(room: str) -> None:
    allowed = MAY_IMPORT[room] | {room}
    for file in _files(room):
        for name in _imports(file):
            first, _, rest = name.partition(".")
            if first != "jupyter_stop_chat" or not rest or rest == "__version__":
                continue
            ours = any(rest == each or rest.startswith(f"{each}.") for each in allowed)
            folder = any(each.startswith(f"{rest}.") for each in allowed)
            assert ours or folder, f"{file.name} imports {name}"


@pytest.mark.parametrize(
    "room", ["errors", "utf16", "protocol", "codec", "generation", "bus", "engine"]
)
def test_the_engine_knows_no_framework(room: str) -> None:
    for file in _files(room):
        for name in _imports(file):
            assert name.split(".")[0].split("_")[0] not in STRANGERS, f"{file.name}: {name}"
            assert name.split(".")[0] not in STRANGERS, f"{file.name}: {name}"


def test_only_the_kernels_own_engine_knows_the_server() -> None:
    for file in _files("magics"):
        if file.name == "kernel_place.py":
            continue
        ours = {name for name in _imports(file) if name.startswith("jupyter_stop_chat.")}
        for room in ("app", "owners", "protocol", "reply_stream", "settings"):
            assert not any(name.startswith(f"jupyter_stop_chat.{room}") for name in ours), file
