"""What the magics tell: completions, help, and mistakes in a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.magics.notebook import PATIENCE, Notebook
from tests.providers import OpenAIProvider, Script


def test_tab_completes(notebook: Notebook, home: Any) -> None:
    """U9: only what fits there, each with its kind, and nothing of Python's."""
    notebook.run("%%chat --new --chat 'Of owls'\nOwls?")

    def offered(code: str, at: int | None = None) -> list[tuple[str, str]]:
        at = len(code) if at is None else at
        content = notebook.client.complete(code, at, reply=True, timeout=PATIENCE)["content"]
        kinds = content["metadata"]["_jupyter_types_experimental"]
        begin = content["cursor_start"]
        assert [each["text"] for each in kinds] == content["matches"]
        return [(code[:begin] + each["text"], each["type"]) for each in kinds]

    options = ("--model", "--chat", "--new", "--as", "--to", "--quiet", "--no-fill")
    assert offered("%%chat --") == [(f"%%chat {each}", "option") for each in options]
    assert offered("%%chat ") == offered("%%chat --")
    assert offered("%%chat --\nWhat is it?", len("%%chat --")) == offered("%%chat --")
    assert offered("%%chat -n --q") == [("%%chat -n --quiet", "option")]
    assert "%%chat --quiet --quiet" not in dict(offered("%%chat --quiet --"))
    assert ("%%chat --model openai:loopback", "model") in offered("%%chat --model openai:lo")
    assert ('%%chat --chat "Of owls"', "chat") in offered('%%chat --chat "Of ow')
    assert ('%%chat --chat "Of owls"', "chat") in offered("%%chat --chat ")
    assert offered("%%chat --as ra") == [("%%chat --as raw", "form")]
    assert ("%chat models", "command") in offered("%chat mo")
    assert ("%chat stop all", "chat") in offered("%chat stop a")
    assert offered("%chat set --no-") == [
        ("%chat set --no-quiet", "option"),
        ("%chat set --no-fill", "option"),
    ]
    notebook.run("answers = 1")
    assert ("%%chat --to answers", "variable") in offered("%%chat --to ans")
    # What is no line of ours is Python's.
    assert "answers" in dict(offered("answ"))
    assert "%%chat\nanswers" in dict(offered("%%chat\nansw"))


def test_a_table_explains_it_all(notebook: Notebook) -> None:
    """U30: `%chat help`, as HTML with plain text beside it."""
    (shown,) = notebook.run("%chat help").outputs
    for part in shown["data"].values():
        for word in ("--model", "--as", "--no-fill", "open", "models", "help"):
            assert word in part
    assert shown["data"]["text/html"].startswith("<table>")
    assert "markdown|code|raw" in shown["data"]["text/plain"]


def test_the_help_explains_it_all(notebook: Notebook) -> None:
    for magic, words in (
        (
            "%%chat",
            (
                "--model",
                "--chat",
                "--new",
                "--as",
                "--to",
                "--quiet",
                "--no-fill",
                "interrupt button",
            ),
        ),
        ("%chat", ("list", "open", "show", "stop", "models", "set")),
    ):
        (page,) = notebook.begin(f"{magic}?").end()["payload"]
        assert all(word in page["data"]["text/plain"] for word in words), page


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("%%chat --to 1x\nHi", "--to takes the name of a variable"),
        ("%%chat\n  \n", "the cell is blank"),
        ("%%chat --nothing\nHi", "There is no option '--nothing'"),
        ("%%chat --modle x\nHi", "There is no option '--modle'. Did you mean '--model'?"),
        ("%%chat --as cod\nHi", "--as takes markdown, code or raw, and not 'cod'. Did you mean"),
        ("%%chat --to\nHi", "--to takes a value behind it"),
        ("%%chat Hello there\nHi", "Nothing but options stands here, and not 'Hello there'"),
        ("%chat set --quite", "There is no option '--quite'. Did you mean '--quiet'?"),
        ("%chat modles", "%chat knows no 'modles'. Did you mean 'models'?"),
        ("%%chat --chat 'unclosed\nHi", "No closing quotation"),
        ("%chat dance", "%chat knows no 'dance'. %chat help lists"),
        ("%chat open", "Name a chat"),
        ("%chat open Nowhere", "There is no chat 'Nowhere'"),
        ("%%chat --chat Nowhere\nHi", "There is no chat 'Nowhere'"),
        ("%%chat --model nowhere:x\nHi", "Generation failed: There is no such"),
    ],
)
def test_a_mistake_is_one_sentence(notebook: Notebook, code: str, said: str) -> None:
    """U30: with what was probably meant."""
    cell = notebook.begin(code)
    assert cell.end()["status"] == "error"
    shown = json.dumps(cell.outputs)
    assert said in shown
    assert "Traceback" not in shown


def test_a_failure_is_told_in_the_words_of_the_table(
    notebook: Notebook, provider: OpenAIProvider
) -> None:
    """V3, L5, U29: said once, without the key in the provider's error; and Run All ends here."""
    provider.script = Script(trouble="bad_key")
    cell = notebook.begin("%%chat\nHi")
    reply = cell.end()
    assert reply["status"] == "error"
    (error,) = cell.errors
    assert error["traceback"][0].startswith("Generation failed: The provider refused the key")
    assert "refused the key" not in cell.text
    assert "sk-secret" not in json.dumps([reply, cell.outputs])
