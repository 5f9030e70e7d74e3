"""What a person can write: options, commands, names, completions; and what comes of mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_stop_chat.magics.commands import Commands
from tests.magics.notebook import Home, Notebook, Server, eventually
from tests.providers import OpenAIProvider, Script

STORY = "t0 t1 t2 t3 t4 "


def _prompt(provider: OpenAIProvider) -> str:
    return str(provider.requests[-1].body["messages"][-1]["content"])


def test_a_reply_is_one_display_that_is_made_anew(
    notebook: Notebook, provider: OpenAIProvider, home: Any
) -> None:
    provider.script = Script(tokens=60, rate=100)
    cell = notebook.run("%%chat\nTell me a story")
    assert cell.messages.count("display_data") == 1
    assert 2 <= cell.messages.count("update_display_data") <= 30, "not one for each token"
    (output,) = cell.outputs
    assert set(output["data"]) == {"text/plain", "text/html"}
    assert output["data"]["text/plain"].startswith(STORY)
    (prompt, reply) = home.chats(1)[0]["messages"]
    assert (prompt["text"], reply["text"]) == ("Tell me a story", output["data"]["text/plain"])
    ids = output["metadata"]["jupyter_stop_chat"]
    assert (ids["message_id"], ids["state"]) == (reply["id"], "completed")


def test_cells_go_on_with_one_chat_until_told_otherwise(notebook: Notebook, home: Any) -> None:
    notebook.run("%%chat\nOne")
    notebook.run("%%chat\nTwo")
    first = home.chats(1)[0]
    assert [each["text"] for each in first["messages"]] == ["One", STORY, "Two", STORY]
    notebook.run("%%chat --new --chat 'A new plan'\nThree")
    second = home.chats(1)[0]
    assert (len(second["messages"]), second["chat"]["title"]) == (2, "A new plan")
    notebook.run(f"%%chat --chat {first['chat']['id'][:8]}\nFour")
    notebook.run("%%chat --chat 'new plan'\nFive")
    listed = {each["chat"]["id"]: each["messages"] for each in home.chats()}
    assert listed[first["chat"]["id"]][-2]["text"] == "Four"
    assert listed[second["chat"]["id"]][-2]["text"] == "Five"


def test_to_a_variable_and_quietly(notebook: Notebook) -> None:
    cell = notebook.run("%%chat --to story --quiet\nTell me a story")
    assert cell.outputs == []
    assert notebook.value("[story, story.state, story.model]") == [
        STORY,
        "completed",
        "openai:loopback",
    ]


def test_code_goes_into_the_next_cell(notebook: Notebook, provider: OpenAIProvider) -> None:
    """V5: and none when the reply was stopped."""
    said = ["So:\n", "```python\n", "print(1)\n", "```\n", "and\n", "~~~\nx = 2\n~~~\n", "done"]
    provider.script = Script(tokens=said)
    reply = notebook.begin("%%chat --as code\nWrite it").end()
    assert reply["payload"] == [
        {"source": "set_next_input", "text": "print(1)\n\nx = 2", "replace": False}
    ]
    provider.script = Script(tokens=said, stall_after=5)
    cell = notebook.begin("%%chat --as code\nWrite it")
    cell.until_text("and")
    notebook.interrupt()
    assert cell.end()["payload"] == []


def test_only_code_goes_into_the_next_cell(notebook: Notebook, provider: OpenAIProvider) -> None:
    """R3, U17: from a list, and the kernel's language alone; what is left out is said."""
    said = "1. So:\n\n   ```python\n   if x:\n       y\n   ```\n\n2. done\n"
    provider.script = Script(tokens=[said])
    (payload,) = notebook.begin("%%chat --as code\nWrite it").end()["payload"]
    assert payload["text"] == "if x:\n    y"
    provider.script = Script(tokens=["Only words."])
    cell = notebook.begin("%%chat --as code\nWrite it")
    assert cell.end()["payload"] == []
    assert "The reply has no block of Python, so the next cell is left alone." in cell.text
    shell, query = "```bash\npip install x\n```\n", "```sql\nselect 1\n```\n"
    provider.script = Script(tokens=[f"{shell}Then\n\n```py\nimport x\n```\n{query}"])
    cell = notebook.begin("%%chat --as code\nWrite it")
    (payload,) = cell.end()["payload"]
    assert payload["text"] == "import x"
    assert "left out, as this kernel runs Python: bash, sql." in cell.text
    provider.script = Script(tokens=[shell])
    cell = notebook.begin("%%chat --as code\nWrite it")
    assert cell.end()["payload"] == []
    assert "no block of Python (left out, as this kernel runs Python: bash)" in cell.text


def test_raw_is_as_it_is(notebook: Notebook, provider: OpenAIProvider) -> None:
    provider.script = Script(tokens=["**bold** ", "<b>"])
    (output,) = notebook.run("%%chat --as raw\nWrite it").outputs
    assert output["data"] == {"text/plain": "**bold** <b>"}


def test_names_in_the_prompt(notebook: Notebook, provider: OpenAIProvider) -> None:
    """P2: names only, and the cell says what was filled in and how long that is."""
    notebook.run("who = 'Ada'; table = {'rows': [1, 2]}; n = 3.14159; long = 'x' * 1204")
    asked = "For {who}: {table['rows'][1]} {n:.2f} {{who}} {nobody} {'a': 1} $who `{who}`"
    cell = notebook.run(f"%%chat\n{asked}")
    assert _prompt(provider) == asked.replace("For {who}", "For Ada")
    assert cell.text.startswith("[Filled in: who (3 characters)]\n\nt0 ")
    assert cell.html.startswith("<p><em>Filled in: who (3 characters)</em></p>\n<p>t0 ")
    assert "Filled in: long (1,204 characters)" in notebook.run("%%chat\nSee {long}").text


def test_names_are_sent_as_they_stand_when_that_is_asked_for(
    notebook: Notebook, provider: OpenAIProvider
) -> None:
    """P2: the switch, for one cell and for all."""
    notebook.run("who = 'Ada'")
    cell = notebook.run("%%chat --no-fill\nFor {who}")
    assert (_prompt(provider), cell.text) == ("For {who}", STORY)
    notebook.run("%chat set --no-fill")
    notebook.run("%%chat\nFor {who}")
    assert _prompt(provider) == "For {who}"
    notebook.run("%chat set --fill")
    notebook.run("%%chat\nFor {who}")
    assert _prompt(provider) == "For Ada"


def test_nothing_in_a_prompt_runs_and_what_is_ipythons_stays(
    notebook: Notebook, provider: OpenAIProvider
) -> None:
    """P1, P2."""
    notebook.run("ran = []; secret = 'sk-1'; import os; 'an output'")
    asked = (
        "Explain {In[__import__('os').getpid()]} {ran.append(1)} {ran[ran.append(1)]}"
        " {ran!r:{secret}}"
        "\n\n{In} {Out} {_} {__builtins__} {get_ipython} {exit} {os} {os.environ} {print}"
        "\n\nheaders = {secret}"
    )
    cell = notebook.run(f"%%chat\n{asked}")
    assert _prompt(provider) == asked
    assert notebook.value("ran") == []
    assert "Filled in" not in cell.text
    assert "Left as it stands, as code: secret" in cell.text


def test_html_of_a_model_is_text(notebook: Notebook, provider: OpenAIProvider) -> None:
    """L11: a front end trusts a cell's output, and nobody trusts a model's words."""
    provider.script = Script(
        tokens=["<img src=x onerror=alert(1)>", "\n\n![a](http://x.invalid/a)"]
    )
    cell = notebook.run("%%chat\nWrite it")
    assert cell.html == (
        "<p>&lt;img src=x onerror=alert(1)&gt;</p>\n"
        '<p><a href="http://x.invalid/a" target="_blank" rel="noopener noreferrer">a</a></p>\n'
    )


def test_the_commands(notebook: Notebook, home: Any) -> None:
    notebook.run("%%chat --new --chat 'Of whales'\nWhales?")
    notebook.run("%%chat --new --chat 'Of larks'\nLarks?")
    whales = next(
        each["chat"]["id"] for each in home.chats() if each["chat"]["title"] == "Of whales"
    )
    listed = notebook.run("%chat").text
    assert "* " in listed
    assert re.search(rf"  {whales[:8]}  \d\d:\d\d  Of whales$", listed, re.MULTILINE)
    assert "Of larks" not in notebook.run("%chat list whales").text
    shown = notebook.run("%chat show Of whales").outputs[0]["data"]
    assert "<p><strong>You</strong></p>\n<p>Whales?</p>" in shown["text/html"]
    assert f"Reply: {STORY}" in shown["text/plain"]
    notebook.run("%chat open Of whales")
    notebook.run("%%chat\nMore")
    assert len(next(e for e in home.chats() if e["chat"]["id"] == whales)["messages"]) == 4
    assert "Nothing was being made." in notebook.run("%chat stop").text
    assert "openai:loopback" in notebook.run("%chat models").text


def test_defaults(notebook: Notebook, provider: OpenAIProvider) -> None:
    said = notebook.run("%chat set --model openai:other --as raw").text
    assert said == "model: openai:other; as: raw; quiet: no; fill: yes\n"
    (output,) = notebook.run("%%chat\nTell").outputs
    assert set(output["data"]) == {"text/plain"}
    assert provider.requests[-1].body["model"] == "other"
    notebook.run("%chat set --model '' --as markdown")
    notebook.run("%%chat\nTell")
    assert provider.requests[-1].body["model"] == "loopback"


def test_tasks_of_other_cells_and_a_subshell(
    notebook: Notebook, provider: OpenAIProvider, home: Any
) -> None:
    """It runs beside the kernel's own event loop, and in a thread that no signal reaches."""
    notebook.run(
        "import asyncio\n"
        "ticks = []\n"
        "async def tick():\n"
        "    for _ in range(3):\n"
        "        ticks.append(1)\n"
        "        await asyncio.sleep(0)\n"
        "task = asyncio.create_task(tick())"
    )
    notebook.run("%%chat\nHi")
    notebook.run("await task")
    assert notebook.value("len(ticks)") == 3
    client = notebook.client
    message = client.session.msg("create_subshell_request")
    client.control_channel.send(message)
    subshell = client.get_control_msg(timeout=30)["content"]["subshell_id"]
    provider.script = Script(stall_after=2)
    count = len(provider.requests)
    asked = client.session.msg("execute_request", {"code": "%%chat --new\nHi", "silent": False})
    asked["header"]["subshell_id"] = subshell
    client.shell_channel.send(asked)
    eventually(lambda: len(provider.requests) > count, "the request from the subshell")
    eventually(provider.requests[-1].stalled.is_set, "its stall")
    stop = notebook.begin("%chat stop all")
    stop.until_text("1 reply stopped")
    # Either may end first.
    replies: dict[str, Any] = {}
    while not {stop.id, asked["header"]["msg_id"]} <= set(replies):
        reply = client.get_shell_msg(timeout=30)
        replies[reply["parent_header"]["msg_id"]] = reply["content"]
    ended = replies[asked["header"]["msg_id"]]
    assert (ended["status"], ended["ename"]) == (
        "error",
        "KeyboardInterrupt",
    )


def test_the_light_path_imports_nothing_heavy(
    server: Server, kernel_of: Callable[[Home], Notebook], provider: OpenAIProvider
) -> None:
    """Whatever else the kernel has done by then."""
    provider.script = Script()
    notebook = kernel_of(server)
    notebook.run("%%chat\nHi")
    notebook.run("%chat")
    heavy = ("langchain", "langchain_core", "sqlalchemy", "pydantic", "jupyter_server")
    assert notebook.value(f"[m for m in {heavy!r} if m in __import__('sys').modules]") == []


def test_it_is_stopped_from_elsewhere(
    server: Server, kernel_of: Callable[[Home], Notebook], provider: OpenAIProvider
) -> None:
    """B6: the cell ends as interrupted when its reply is stopped in the sidebar, say."""
    provider.script = Script(stall_after=3)
    cell = kernel_of(server).begin("%%chat\nHi")
    cell.until_text("t2 ")
    server.call("POST", "stop-chat/interrupt", {})
    assert cell.end()["ename"] == "KeyboardInterrupt"
    assert cell.text.startswith("t0 t1 t2 ")
    assert cell.errors[0]["traceback"] == ["Interrupted: response stopped by the user"]
    assert kernel_of(server).run("print(1)").text == "1\n"


def test_a_queue_of_cells_ends_at_a_stop(notebook: Notebook, provider: OpenAIProvider) -> None:
    """Run All goes no further."""
    provider.script = Script(stall_after=3)
    cell = notebook.begin("%%chat\nHi")
    later = notebook.client.execute("after = 1")
    cell.until_text("t2 ")
    notebook.interrupt()
    assert cell.end()["status"] == "error"
    reply = notebook.client.get_shell_msg(timeout=30)
    assert (reply["parent_header"]["msg_id"], reply["content"]["status"]) == (later, "aborted")


def test_a_reordered_queue_is_shown_as_it_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    """B10, L11: each prompt stands behind the reply that it follows, whenever it was written."""
    links = {"0": None, "1": "0", "2": "5", "3": "2", "4": "1", "5": "4"}
    messages = [
        {
            "id": at,
            "reply_to": follows,
            "role": "assistant" if int(at) % 2 else "user",
            "text": f"text {at}",
            "state": "completed",
        }
        for at, follows in links.items()
    ]
    backend = SimpleNamespace(chat=lambda chat_id: {"chat": {"title": "T"}, "messages": messages})
    backends = SimpleNamespace(backend=lambda line: backend)
    defaults = SimpleNamespace(chat_id="1")
    Commands(backends, defaults, rich=False).run("show", [])  # type: ignore[arg-type]
    said = capsys.readouterr().out
    assert [said.index(f"text {at}") for at in "014523"] == sorted(
        said.index(f"text {at}") for at in "014523"
    )
