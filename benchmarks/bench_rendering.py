"""What a long reply costs the page that shows it, beside the component that other chats use.

Run: `python benchmarks/bench_rendering.py` (about four minutes; Chromium is needed, and on first
use a minute more to build the peer). A loopback provider streams Markdown, 25 characters every
20 ms, to a real JupyterLab in a real browser. Measured are

- the time taken beside the nominal one, the script time in all, the longest task of the main
  thread, and how long it is busy for each delta at 10, 50 and 100 kB: that should stay flat;
- Stop at four tenths of the text: whether it froze in the next frame, and when Send was painted;
- a prompt sent in a chat of 50 messages of 2 kB, until it was painted;
- a chat of 200 such messages opened, until the last one was painted, and until all were.

Then `@jupyter/chat` 0.20.0 gets the same deltas in the same page. It renders a whole message again
with each of them, so that 100 kB would take it more than an hour: it streams a shorter text, and
the cost of a single delta is measured at 10, 50 and 100 kB.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

import long_reply
import peer_page
from main_thread import MainThread

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import CHROMIUM_ARGS
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider, Script

#: What is wished for, by the name of the figure.
WISHED = {
    "script_s": 3.0,
    "longest_task_ms": 200.0,
    "stop_send_painted_ms": 300.0,
    "add_to_50_painted_ms": 60.0,
    "open_200_painted_ms": 1000.0,
}

STOP = """
() => new Promise(resolve => {
  const body = [...document.querySelectorAll(
    '.jp-StopChat-message[data-role=assistant] .jp-StopChat-body')].pop();
  const button = document.querySelector('.jp-StopChat-button');
  const begun = performance.now();
  button.click();
  requestAnimationFrame(() => requestAnimationFrame(() => {
    const frozen = body.textContent;
    const painted = () => requestAnimationFrame(() => setTimeout(() => resolve({
      frozen: frozen.length, end: body.textContent.length,
      send_ms: performance.now() - begun})));
    const look = () => button.dataset.mode === 'send' ? painted() : requestAnimationFrame(look);
    look();
  }));
})
"""

#: From the press of Enter until the prompt was painted.
SEND = """
() => {
  window.benchSent = new Promise(resolve => {
    const count = () => document.querySelectorAll('.jp-StopChat-message[data-role=user]').length;
    const before = count();
    document.addEventListener('keydown', () => {
      const begun = performance.now();
      const look = () => count() > before
        ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begun)))
        : requestAnimationFrame(look);
      look();
    }, {capture: true, once: true});
  });
}
"""

#: From a click on a chat until its last message was painted, and until all of them were.
OPEN = """
({id, count, last}) => new Promise(resolve => {
  const bodies = () => document.querySelectorAll(
    '.jp-StopChat-message[data-role=assistant] .jp-StopChat-body');
  const begun = performance.now();
  let painted = 0;
  const look = () => {
    const all = [...bodies()];
    const now = performance.now() - begun;
    if (!painted && all.length === count && all[count - 1].textContent.includes(last)) {
      painted = now;
    }
    if (painted && all.every(body => body.textContent.includes('End of reply'))) {
      requestAnimationFrame(() => setTimeout(() => resolve({painted, all: now})));
    } else {
      requestAnimationFrame(look);
    }
  };
  document.querySelector(`[data-chat-id="${id}"] .jp-StopChat-chat`).click();
  look();
})
"""


def _stream(page: Page, chat: ChatPage, thread: MainThread, length: int) -> dict[str, Any]:
    # What a page does before its first prompt is not counted; the first render is.
    thread.rest()
    thread.forget()
    script = thread.seconds("ScriptDuration")
    chat.ask("Tell me all about the stations.")
    chat.wait_for_text(1)
    begun = time.perf_counter()
    marks = [(0, thread.seconds(), thread.seconds("ScriptDuration"))]
    while chat.button.get_attribute("data-mode") != "send":
        page.wait_for_timeout(1000)
        at = int((time.perf_counter() - begun) * long_reply.PER_SECOND * long_reply.PIECE)
        script_now = thread.seconds("ScriptDuration")
        marks.append((min(at, length), thread.seconds(), script_now))
    seconds = time.perf_counter() - begun
    found = {
        "nominal_s": length / long_reply.PIECE / long_reply.PER_SECOND,
        "taken_s": seconds,
        "script_s": thread.seconds("ScriptDuration") - script,
        "longest_task_ms": thread.longest_task(),
        "slowest_frames": thread.slowest_frames(),
    }
    for size in (10_000, 50_000, 100_000):
        first = max(0, min(size, length - 2000) - 4000)
        inside = [mark for mark in marks if first <= mark[0] <= first + 8000]
        deltas = max(1.0, (inside[-1][0] - inside[0][0]) / long_reply.PIECE)
        for what, place in (("busy", 1), ("script", 2)):
            cost = (inside[-1][place] - inside[0][place]) / deltas * 1e3
            found[f"{what}_ms_per_delta_at_{size // 1000}_kB"] = cost
    return found


def _stop_at(page: Page, chat: ChatPage, length: int) -> dict[str, Any]:
    page.get_by_role("button", name="New chat").first.click()
    chat.ask("And once more.")
    page.wait_for_function(
        """length => {
          const bodies = document.querySelectorAll(
            '.jp-StopChat-message[data-role=assistant] .jp-StopChat-body');
          return (bodies[bodies.length - 1]?.textContent ?? '').length >= length;
        }""",
        arg=length,
        timeout=240_000,
    )
    found: dict[str, Any] = page.evaluate(STOP)
    return {
        "stop_frozen_in_next_frame": found["frozen"] == found["end"],
        "stop_send_painted_ms": found["send_ms"],
    }


def _import(lab: Lab, title: str, count: int) -> str:
    """Make a chat of so many messages, half of them replies of 2 kB; return its id."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    common: dict[str, Any] = {
        "chat_id": ids[0],
        "text_offset": 0,
        "text_length": 0,
        "state": "completed",
    }
    common |= {"created_at": "2026-01-01T00:00:00Z", "attachments": [], "tools": []}
    messages = [
        common
        | {
            "id": ids[n],
            "role": "assistant" if n % 2 else "user",
            "text": long_reply.reply(n) if n % 2 else f"What of station {n}?",
        }
        | ({"reply_to": ids[n - 1]} if n else {})
        for n in range(count)
    ]
    request = urllib.request.Request(
        f"http://127.0.0.1:{lab.port}/api/stop-chat/chats",
        data=json.dumps({"chat": {"title": title}, "messages": messages}).encode(),
        headers={"Authorization": f"token {lab.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["id"])


def _open(page: Page, thread: MainThread, chat_id: str, count: int) -> dict[str, Any]:
    page.get_by_role("button", name="Chats", exact=True).click()
    page.locator(f'[data-chat-id="{chat_id}"]').wait_for()
    thread.rest()
    thread.forget()
    before = thread.seconds()
    last = f"End of reply {count - 1}."
    found: dict[str, Any] = page.evaluate(OPEN, {"id": chat_id, "count": count // 2, "last": last})
    thread.rest()
    return {
        f"open_{count}_painted_ms": found["painted"],
        f"open_{count}_all_rendered_ms": found["all"],
        f"open_{count}_busy_ms": (thread.seconds() - before) * 1e3,
        f"open_{count}_longest_task_ms": thread.longest_task(),
    }


def _add(page: Page, chat: ChatPage, thread: MainThread) -> dict[str, Any]:
    painted = []
    for _ in range(5):
        chat.input.fill("And once more.")
        thread.rest()
        page.evaluate(SEND)
        chat.input.press("Enter")
        painted.append(page.evaluate("window.benchSent"))
        chat.expect_mode("stop")
        chat.button.click()
        chat.expect_mode("send")
    return {
        "add_to_50_painted_ms": statistics.median(painted),
        "add_to_50_painted_worst_ms": max(painted),
    }


def run(length: int, peer_length: int) -> dict[str, dict[str, Any]]:
    """Measure ours with a reply of so many characters, then the peer; 0 leaves it out."""
    if peer_length:
        peer_page.build()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        OpenAIProvider().in_thread() as provider,
        sync_playwright() as playwright,
    ):
        pieces = long_reply.pieces(long_reply.text(length))
        provider.script = Script(tokens=pieces, rate=long_reply.PER_SECOND)
        parameters = {"openai": {"base_url": provider.base_url, "api_key": "sk-bench"}}
        config = {
            "open_chat": True,
            "default_model": "openai:loopback",
            "model_parameters": parameters,
            "titles": "prompt",
        }
        lab = Lab(Path(folder), {"StopChatApp": config})
        if peer_length:
            peer_page.install(lab.data)
        lab.start()
        try:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=list(CHROMIUM_ARGS)
            )
            page = browser.new_page(viewport={"width": 1200, "height": 800})
            chat = ChatPage(page, lab, Path(folder), routed=False)
            chats = {count: _import(lab, f"{count} messages", count) for count in (50, 200)}
            chat.load()
            thread = MainThread(page)
            ours = _open(page, thread, chats[200], 200)
            _open(page, thread, chats[50], 50)
            provider.script = Script(tokens=3, stall="before_headers")
            ours |= _add(page, chat, thread)
            provider.script = Script(tokens=pieces, rate=long_reply.PER_SECOND)
            page.get_by_role("button", name="New chat").first.click()
            ours = _stream(page, chat, thread, length) | ours
            ours |= _stop_at(page, chat, length * 4 // 10)
            found = {"ours": {"length": length} | ours}
            if peer_length:
                found["peer"] = peer_page.measure(page, thread, peer_length)
            browser.close()
        finally:
            lab.stop()
    return found


def _print(found: dict[str, dict[str, Any]]) -> None:
    ours, peer = found["ours"], found.get("peer", {})

    def word(value: Any) -> str:
        return f"{value:.2f}" if isinstance(value, float) else str(value)

    print(f"{'':34}{'ours':>10}{'wished':>10}{'@jupyter/chat':>16}")
    for key in [*ours, *(key for key in peer if key not in ours)]:
        if key != "slowest_frames":
            wished = f"≤ {WISHED[key]:.0f}" if key in WISHED else ""
            print(
                f"{key:34}{word(ours.get(key, '')):>10}{wished:>10}{word(peer.get(key, '')):>16}"
            )
    if peer:
        print("The peer streamed a shorter text: each delta costs it a render of all of it.")


def main() -> None:
    """Run it and print what was found, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON, the slow frames as well")
    parser.add_argument("--length", type=int, default=100_000, help="characters of the reply")
    parser.add_argument(
        "--peer-length", type=int, default=10_000, help="characters for the peer; 0 leaves it out"
    )
    options = parser.parse_args()
    found = run(options.length, options.peer_length)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        _print(found)


if __name__ == "__main__":
    main()
