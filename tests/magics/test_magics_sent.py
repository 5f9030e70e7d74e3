"""What a cell sends besides its words, and what is not sent."""

from __future__ import annotations

from typing import Any

from tests.magics.notebook import Alone, Server
from tests.providers import OpenAIProvider, Script


def test_the_notebook_goes_with_the_prompt(server: Server, provider: OpenAIProvider) -> None:
    """Its rules files are read, also where it was moved since its kernel began."""
    provider.script = Script()
    for folder in ("before", "later"):
        place = server.lab.folder / "home" / folder
        place.mkdir()
        (place / "AGENTS.md").write_text(f"Mind the rules of {folder}.")
    notebook = server.open("before/plan.ipynb")
    notebook.run("%%chat\nHello")
    assert server.chats(1)[0]["messages"][0]["path"] == "before/plan.ipynb"
    assert "the rules of before" in str(provider.requests[-1].body["messages"][0])
    (session,) = server.call("GET", "sessions")
    server.call("PATCH", f"sessions/{session['id']}", {"path": "later/plan.ipynb"})
    notebook.run("%%chat --new\nHello")
    assert server.chats(1)[0]["messages"][0]["path"] == "later/plan.ipynb"
    assert "the rules of later" in str(provider.requests[-1].body["messages"][0])


def test_a_budget_that_is_used_up_is_a_plain_sentence(
    alone: Alone, kernel_of: Any, provider: OpenAIProvider
) -> None:
    """L5: in a cell as in the page."""
    provider.script = Script()
    notebook = kernel_of(alone)
    notebook.run("%%chat --new\nHello")
    app = "get_ipython().magics_manager.registry['ChatMagics'].backends._kernel._app"
    notebook.run(f"{app}.tokens_per_day = 1")
    asked = len(provider.requests)
    cell = notebook.begin("%%chat\nMore")
    assert cell.end()["status"] == "error"
    (error,) = cell.errors
    assert "What you may use in a day is used up, so nothing was sent." in error["evalue"]
    assert len(provider.requests) == asked
    notebook.run(f"{app}.tokens_per_day = 0")
    notebook.run("%%chat\nMore")
