"""The message component of `@jupyter/chat`, put into the same page and given the same deltas.

It is built on first use from `benchmarks/peer` (a minute, from the npm registry), and is part of
nothing else.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import long_reply
from main_thread import MainThread
from playwright.sync_api import Page

FOLDER = Path(__file__).with_name("peer")
NAME = "stop-chat-bench-peer"

STREAM = """
async ({pieces, every, end}) => {
  const peer = window.benchPeer;
  peer.add('stream', '');
  const begun = performance.now();
  let text = '';
  for (let n = 0; n < pieces.length; n += 1) {
    const wait = begun + n * every - performance.now();
    await new Promise(resolve => setTimeout(resolve, Math.max(0, wait)));
    text += pieces[n];
    peer.grow('stream', text);
  }
  const shown = () => [...document.querySelectorAll('.jp-chat-rendered-message')].pop();
  while (!shown()?.textContent.includes(end)) {
    await new Promise(resolve => requestAnimationFrame(resolve));
  }
  return (performance.now() - begun) / 1e3;
}
"""

SHOWN = """
count => document.querySelectorAll('.jp-chat-rendered-message').length === count
"""


def build() -> None:
    """Build the extension, unless it is there."""
    if (FOLDER / "labextension" / "package.json").exists():
        return
    here = Path(sys.executable).parent
    # The build calls the builder by its name, also where the environment is not activated.
    environment = os.environ | {"PATH": f"{here}{os.pathsep}{os.environ['PATH']}"}
    for arguments in (["install", "--immutable"], ["run", "build"]):
        command = [str(here / "jlpm"), *arguments]
        subprocess.run(command, cwd=FOLDER, check=True, stdout=subprocess.DEVNULL, env=environment)


def install(data: Path) -> None:
    """Put it where a JupyterLab with this data folder finds it."""
    (data / "labextensions").mkdir(parents=True, exist_ok=True)
    (data / "labextensions" / NAME).symlink_to(FOLDER / "labextension")


def measure(page: Page, thread: MainThread, length: int) -> dict[str, Any]:
    """Stream a reply of so many characters to it; tell what deltas and messages cost."""
    found: dict[str, Any] = {"length": length}
    page.evaluate("window.benchPeer.open()")
    thread.rest()
    thread.forget()
    script = thread.seconds("ScriptDuration")
    text = long_reply.text(length) + "\n\nThe end."
    pieces = long_reply.pieces(text)
    found["nominal_s"] = len(pieces) / long_reply.PER_SECOND
    found["taken_s"] = page.evaluate(
        STREAM, {"pieces": pieces, "every": 1000 / long_reply.PER_SECOND, "end": "The end."}
    )
    thread.rest()
    found["script_s"] = thread.seconds("ScriptDuration") - script
    found["longest_task_ms"] = thread.longest_task()
    for size in (10_000, 50_000, 100_000):
        found[f"busy_ms_per_delta_at_{size // 1000}_kB"] = _update(page, thread, size)
    found["add_to_50_busy_ms"] = _add(page, thread)
    page.evaluate("window.benchPeer.open()")
    bodies = [long_reply.reply(n) for n in range(200)]
    found["open_200_busy_ms"] = thread.busy_ms(
        lambda: page.evaluate("bodies => window.benchPeer.addAll(bodies)", bodies)
    )
    return found


def _update(page: Page, thread: MainThread, size: int) -> float:
    page.evaluate("window.benchPeer.open()")
    text = long_reply.text(size + 3 * long_reply.PIECE)
    page.evaluate("text => window.benchPeer.add('one', text)", text[:size])
    costs = [
        thread.busy_ms(
            lambda end=size + n * long_reply.PIECE: page.evaluate(
                "text => window.benchPeer.grow('one', text)", text[:end]
            )
        )
        for n in (1, 2, 3)
    ]
    return statistics.median(costs)


def _add(page: Page, thread: MainThread) -> float:
    page.evaluate("window.benchPeer.open()")
    bodies = [long_reply.reply(n) for n in range(50)]
    page.evaluate("bodies => window.benchPeer.addAll(bodies)", bodies)
    page.wait_for_function(SHOWN, arg=50, timeout=120_000)
    return thread.busy_ms(lambda: page.evaluate("window.benchPeer.add('new', 'And once more.')"))
