"""What the author of a chat handler imports: it is all there, and the docs name nothing else."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_stop_chat import api

ROOT = Path(__file__).parents[1]
#: Each of these is a promise; one that goes breaks somebody's package.
NAMES = {
    "Call",
    "ChatHandler",
    "ErrorCode",
    "Event",
    "Finished",
    "HistoryCut",
    "LangChainHandler",
    "PhaseReport",
    "Proposal",
    "Reasoning",
    "Retrying",
    "StopChatError",
    "StopReport",
    "Text",
    "TokensUsed",
    "Tool",
    "ToolError",
    "ToolResult",
    "Wanted",
    "as_tool",
    "ToolEnded",
    "ToolStarted",
    "Turn",
    "TurnMessage",
    "check_stops",
    "closed_at_the_end",
}


def test_the_names_stay() -> None:
    assert set(api.__all__) == NAMES
    assert all(getattr(api, name) is not None for name in NAMES)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = api.Nothing


@pytest.mark.parametrize(
    "page", ["building/chat-handlers.md", "using/providers.md", "building/tools.md"]
)
def test_the_docs_import_nothing_else_of_ours(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    imported = [
        node
        for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("jupyter_stop_chat")
    ]
    assert imported
    assert {node.module for node in imported} == {"jupyter_stop_chat.api"}
    assert {alias.name for node in imported for alias in node.names} <= NAMES


def test_its_types_are_for_others() -> None:
    assert (ROOT / "jupyter_stop_chat" / "py.typed").is_file()


def test_a_handler_without_langchain_imports_none() -> None:
    program = (
        "import sys, jupyter_stop_chat.api as api\n"
        "assert api.check_stops\n"
        "assert not [name for name in sys.modules if name.startswith('langchain')]\n"
    )
    subprocess.run([sys.executable, "-P", "-c", program], check=True, timeout=60)
