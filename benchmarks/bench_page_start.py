"""How much longer JupyterLab's page takes to start with the chat than without it.

Run: `python benchmarks/bench_page_start.py [rounds]` (about two minutes; Chromium is needed). One
JupyterLab has the chat, another the same page with the chat's extension disabled; both have all
of JupyterLab's own extensions. In turns, each is loaded in a fresh profile, and again in that one,
whose browser has the files by then. Printed are the medians, from the beginning of the load until
JupyterLab says that it has restored what was open, and until the main thread rests after it; and
their ratios. The chat is not open: so it is in most pages.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.browser.conftest import CHROMIUM_ARGS
from tests.browser.lab import Lab

#: What the start may take, beside that without the chat.
WISHED = 1.05
CONFIG = {"LabApp": {"expose_app_in_browser": True}}
EXTENSION = "jupyter-stop-chat"
#: What was open is shown again, and then nothing runs for a moment: in milliseconds of the page.
STARTED = """
async () => {
  const started = () => window.jupyterapp?.restored;
  while (!started()) {
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  await started();
  const restored = performance.now();
  await new Promise(resolve => requestIdleCallback(resolve));
  return [restored, performance.now()];
}
"""


def main() -> None:
    """Measure, and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with ExitStack() as stack:
        labs = {}
        for name, disabled in (("with", False), ("without", True)):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            labs[name] = _lab(folder, disabled=disabled)
            labs[name].start()
            stack.callback(labs[name].stop)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM_ARGS)
        )
        stack.callback(browser.close)
        found = _measured(browser, labs, rounds)
    print("| measured | with | without | ratio | wished |\n| --- | --: | --: | --: | --: |")
    for what, took in found.items():
        ours, its = (statistics.median(took[name]) for name in ("with", "without"))
        print(f"| {what} | {ours:.0f} ms | {its:.0f} ms | {ours / its:.2f}× | ≤ {WISHED}× |")


def _lab(folder: Path, *, disabled: bool) -> Lab:
    lab = Lab(folder, CONFIG, whole=True)
    if disabled:
        config = folder / "config" / "labconfig"
        config.mkdir()
        (config / "page_config.json").write_text(
            json.dumps({"disabledExtensions": {EXTENSION: True}})
        )
    return lab


def _measured(
    browser: Browser, labs: dict[str, Lab], rounds: int
) -> dict[str, dict[str, list[float]]]:
    """Return what each load took, in milliseconds, by what was measured and with which lab."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(rounds + 1):
        for name, lab in labs.items():
            context = browser.new_context(viewport={"width": 1200, "height": 800})
            page = context.new_page()
            for files in ("a fresh profile", "files at hand"):
                restored, rested = _load(page, lab, chat=name == "with")
                if number:  # the first has the server import what it needs
                    found[f"page restored, {files}"][name].append(restored)
                    found[f"page at rest, {files}"][name].append(rested)
            context.close()
    return found


def _load(page: Page, lab: Lab, *, chat: bool) -> tuple[float, float]:
    page.goto(lab.url, wait_until="commit")
    restored, rested = page.evaluate(STARTED)
    has = page.evaluate("window.jupyterapp.commands.hasCommand('stop-chat:open')")
    assert has == chat, "the page is not as it was asked for"
    return restored, rested


if __name__ == "__main__":
    main()
