"""`%chat_error`: the last error of the session, asked about with the machinery of `%%chat`."""

from __future__ import annotations

from tests.magics.notebook import Notebook
from tests.providers import OpenAIProvider, Script


def _sent(provider: OpenAIProvider) -> str:
    content: str = provider.requests[-1].body["messages"][-1]["content"]
    return content


def test_the_last_error_is_sent(notebook: Notebook, provider: OpenAIProvider) -> None:
    """C5: what failed last, and nothing that is no error."""
    asked = len(provider.requests)
    said = "So:\n\n```python\ntotal = 1\n```\n"
    provider.script = Script(tokens=[said])

    # A cell that fails after others: its own source and calls, and nothing of the shell's.
    notebook.run("def half(n):\n    return n / (n - n)")
    notebook.begin("x = 4\nhalf(x)  # this one").end()
    notebook.run("y = 1")
    cell = notebook.begin("%chat_error --as code why's it so? --new")
    assert cell.end()["payload"] == [
        {"source": "set_next_input", "text": "total = 1", "replace": False}
    ]
    sent = _sent(provider)
    assert sent.startswith("why's it so?\n\n```python\nx = 4\nhalf(x)  # this one\n```\n")
    assert "return n / (n - n)" in sent
    assert "ZeroDivisionError" in sent
    assert "IPython" not in sent
    assert "\x1b" not in sent

    # What is no error of a cell hides none: a mistyped magic, a reply that failed, an interrupt.
    provider.script = Script(trouble="bad_request")
    assert notebook.begin("%chat_error").end()["status"] == "error"
    notebook.begin("raise KeyboardInterrupt").end()
    notebook.begin("%chat_error --nonsense").end()
    provider.script = Script(tokens=[said])
    notebook.begin("%chat_error").end()
    assert "half(x)  # this one" in _sent(provider)
    assert _sent(provider).startswith("What does this error mean")

    # A cell that cannot be read, and one that goes round: as much as a model needs. (Of a bracket
    # that stays open Python 3.13 says another error's name.)
    notebook.begin("print('a'))").end()
    notebook.begin("%chat_error").end()
    assert "```python\nprint('a'))\n```" in _sent(provider)
    assert "SyntaxError" in _sent(provider)
    # Some sixty calls, not three thousand: IPython reads the source of each for a while.
    notebook.run(
        "import inspect, sys; limit = sys.getrecursionlimit()\n"
        "sys.setrecursionlimit(len(inspect.stack(0)) + 60)"
    )
    notebook.begin("def f(n):\n    return f(n + 1)\nf(0)").end()
    notebook.run("sys.setrecursionlimit(limit)")
    notebook.begin("%chat_error").end()
    assert "RecursionError" in _sent(provider)
    assert len(_sent(provider)) < 9000
    assert len(provider.requests) == asked + 5
    notebook.run("import sys; sys.last_value = sys.last_exc = None")


def test_an_error_from_before_the_magics_were_loaded(
    notebook: Notebook, provider: OpenAIProvider
) -> None:
    """C5: the shell knows it still."""
    notebook.run("%reload_ext jupyter_stop_chat")
    asked = len(provider.requests)
    cell = notebook.begin("%chat_error")
    assert cell.end()["status"] == "error"
    assert "Nothing has failed in this session" in cell.text
    assert len(provider.requests) == asked
    provider.script = Script()
    notebook.begin("1 / 0  # before").end()
    notebook.run("%reload_ext jupyter_stop_chat")
    notebook.run("%chat_error --quiet --to reply")
    assert "```python\n1 / 0  # before\n```" in _sent(provider)
    assert notebook.value("reply.state") == "completed"
    notebook.run("import sys; sys.last_value = sys.last_exc = None")
    notebook.run("%reload_ext jupyter_stop_chat")
