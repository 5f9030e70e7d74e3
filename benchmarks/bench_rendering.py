"""What a long reply costs the page that shows it, and how soon Stop is seen in the middle of it.

Run: `python benchmarks/bench_rendering.py` (about two and a half minutes; Chromium is needed). A
loopback provider streams Markdown, 25 characters every 20 ms, to a real JupyterLab in a real
browser. It prints the time taken beside the nominal one, the script time in all, the longest task
of the main thread, the script time per delta at the beginning and at the end, and for Stop the
time until Send was painted. Script time per delta should stay flat: it is what grows with the
length of a reply when all of it is rendered again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import CHROMIUM_ARGS
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider, Script

PIECE = 25
PER_SECOND = 50

SECTION = """## Part {n}: reading a table of measurements

The measurements of **station {n}** arrive every minute, and each line holds *three* columns. What
follows reads them with [pandas](https://example.org/pandas), leaves out the `NaN` rows, and keeps
an average of the last ten. Nothing here is fast, but all of it is *plain*, and plain code can be
mended by whoever finds it a year later.

- first the header is read, and its names are made lower case;
- then the rows, of which there may be {n}00 or more:
  1. those that are whole,
  2. and those that were cut;
- at last the sums, with $\\sigma_{n} = \\sqrt{{\\frac{{1}}{{N}} \\sum_i (x_i - \\mu)^2}}$.

```python
import pandas as pd


def read(path: str, window: int = {n}) -> pd.DataFrame:
    \"\"\"Read one station's file and smooth it.\"\"\"
    frame = pd.read_csv(path, parse_dates=["time"]).dropna()
    frame.columns = [name.lower() for name in frame.columns]
    for name in ("temperature", "pressure"):
        frame[f"{{name}}_mean"] = frame[name].rolling(window).mean()
    return frame.set_index("time")
```

| station | rows | mean | what was found |
|---|---:|---:|---|
| {n} | {n}00 | 12.5 | nothing that stands out |
| {n}b | {n}50 | 13.1 | two gaps, both on a Sunday |

$$
\\int_0^{{{n}}} f(x)\\,dx = F({n}) - F(0)
$$

> Whoever reads this far may skip the next part: it says the same of another station.

"""

WATCH = """
() => {
  window.benchTasks = [];
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      window.benchTasks.push({at: entry.startTime, ms: entry.duration});
    }
  }).observe({type: 'longtask'});
  window.benchFrames = [];
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      window.benchFrames.push({
        at: entry.startTime,
        ms: entry.duration,
        style: entry.startTime + entry.duration - entry.styleAndLayoutStart,
        scripts: entry.scripts.map(script => [
          script.invoker, script.sourceURL.split('/').pop().split('?')[0],
          script.sourceFunctionName, script.duration, script.forcedStyleAndLayoutDuration])
      });
    }
  }).observe({type: 'long-animation-frame'});
}
"""

STOP = """
() => new Promise(resolve => {
  const bodies = document.querySelectorAll(
    '.jp-StopChat-message[data-role=assistant] .jp-StopChat-body');
  const body = bodies[bodies.length - 1];
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


def _text(length: int) -> str:
    made = ""
    number = 1
    while len(made) < length:
        made += SECTION.format(n=number)
        number += 1
    return made[:length]


def _pieces(text: str) -> list[str]:
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


def _script_seconds(session: CDPSession) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) for one in metrics if one["name"] == "ScriptDuration")


def _stream(page: Page, chat: ChatPage, session: CDPSession, length: int) -> dict[str, Any]:
    # What a page does before its first prompt is not counted; the first render is.
    page.wait_for_timeout(3000)
    page.evaluate("window.benchTasks.length = 0; window.benchFrames.length = 0;")
    script = _script_seconds(session)
    chat.ask("Tell me all about the stations.")
    chat.wait_for_text(1)
    begun = time.perf_counter()
    marks = [(0, 0.0)]
    while chat.button.get_attribute("data-mode") != "send":
        page.wait_for_timeout(2000)
        at = int((time.perf_counter() - begun) * PER_SECOND * PIECE)
        marks.append((min(at, length), _script_seconds(session) - script))
    seconds = time.perf_counter() - begun
    tasks = sorted(page.evaluate("window.benchTasks"), key=lambda task: -task["ms"])
    frames = sorted(page.evaluate("window.benchFrames"), key=lambda frame: -frame["ms"])
    total = _script_seconds(session) - script

    def per_delta(first: int, last: int) -> float:
        inside = [mark for mark in marks if first <= mark[0] <= last]
        (from_at, from_s), (to_at, to_s) = inside[0], inside[-1]
        return (to_s - from_s) / max(1, (to_at - from_at) / PIECE) * 1e3

    return {
        "nominal_s": length / PIECE / PER_SECOND,
        "taken_s": seconds,
        "script_s": total,
        "longest_task_ms": tasks[0]["ms"] if tasks else 0.0,
        "long_tasks": len(tasks),
        "script_ms_per_delta_first_fifth": per_delta(0, length // 5),
        "script_ms_per_delta_last_fifth": per_delta(length * 4 // 5, length),
        "slowest_frames": frames[:5],
    }


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


def run(length: int) -> dict[str, Any]:
    """Stream a reply of so many characters, then stop a second one at four tenths of it."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        OpenAIProvider().in_thread() as provider,
        sync_playwright() as playwright,
    ):
        provider.script = Script(tokens=_pieces(_text(length)), rate=PER_SECOND)
        parameters = {"openai": {"base_url": provider.base_url, "api_key": "sk-bench"}}
        lab = Lab(
            Path(folder),
            {
                "StopChatApp": {
                    "open_chat": True,
                    "default_model": "openai:loopback",
                    "model_parameters": parameters,
                    "titles": "prompt",
                }
            },
        )
        lab.start()
        try:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=list(CHROMIUM_ARGS)
            )
            page = browser.new_page(viewport={"width": 1200, "height": 800})
            chat = ChatPage(page, lab, Path(folder), routed=False)
            chat.load()
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable")
            page.evaluate(WATCH)
            found = _stream(page, chat, session, length)
            found |= _stop_at(page, chat, length * 4 // 10)
            browser.close()
        finally:
            lab.stop()
    return found


def main() -> None:
    """Run it and print what was found, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON, the slow frames as well")
    parser.add_argument("--length", type=int, default=100_000, help="characters of the reply")
    options = parser.parse_args()
    found = run(options.length)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for key, value in found.items():
        if key != "slowest_frames":
            print(f"{key}: {value:.2f}" if isinstance(value, float) else f"{key}: {value}")


if __name__ == "__main__":
    main()
