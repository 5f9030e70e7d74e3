"""The magics that pages show run in a real IPython, with the engine in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import blocks, spans
from tests.providers import OpenAIProvider

#: Run cells one after another, and tell of each whether it was right and what it put out.
PROGRAM = """
import contextlib, io, json, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.user_ns["this_error"] = "NameError: name 'price' is not defined"
for cell in json.load(sys.stdin):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        result = shell.run_cell(cell, store_history=True)
    print(json.dumps([cell, result.success, out.getvalue()]), flush=True)
"""
#: What stands for something of a person's.
MEANT = {"NAME": "Lighthouse", "WORDS": "story", " M ": " openai:loopback "}


def test_each_cell_and_each_command(tmp_path: Path) -> None:
    """What is shown is what can be typed."""
    cells = [each.text for each in blocks("ipython")]
    assert len(cells) >= 3
    commands = []
    for _, text in spans():
        if text.startswith("%chat "):
            command = text
            for word, meant in MEANT.items():
                command = command.replace(word, meant)
            commands.append(command)
    assert len(commands) > 8
    chat = "%%chat --new --chat Lighthouse\\nTell me of one"
    loads = [each for each in cells if each.startswith("%load_ext")]
    others = [each for each in cells if each not in loads]
    ordered = [loads[0], chat.replace("\\n", "\n"), *others, *dict.fromkeys(commands)]
    with OpenAIProvider().in_thread() as provider:
        told = run(ordered, provider.base_url, tmp_path)
    assert [cell for cell, right, _ in told if not right] == []
    assert len(told) == len(ordered)
    said = {cell: out for cell, _, out in told}
    assert "t0 t1" in said[ordered[1]]
    assert "Tell me of one" in said["%chat show Lighthouse"]
    prompts = [str(each.body["messages"][-1]["content"]) for each in provider.requests]
    assert any("NameError: name 'price' is not defined" in each for each in prompts)


def run(cells: list[str], base_url: str, folder: Path) -> list[tuple[str, bool, str]]:
    """Run the cells in an IPython of their own."""
    settings = {
        "default_model": "openai:loopback",
        "model_parameters": {"openai": {"base_url": base_url, "api_key": "sk-x"}},
        "titles": "prompt",
    }
    config = folder / "jupyter_server_config.json"
    config.write_text(json.dumps({"StopChatApp": settings}))
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM],
        input=json.dumps(cells),
        env=os.environ | dict.fromkeys(places, str(folder)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines() if line[:1] == "["]
