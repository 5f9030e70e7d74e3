"""What the main thread of a page does: how long it is busy, and its longest task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

#: A page is at rest when less than this of a pause was work, in seconds.
REST, PAUSE = 0.04, 0.4

WATCH = """
() => {
  window.benchTasks = [];
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      window.benchTasks.push(entry.duration);
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

#: A task that takes 120 ms: who does not see it would see no other.
CALIBRATE = """
() => new Promise(resolve => setTimeout(() => {
  const begun = performance.now();
  while (performance.now() - begun < 120) {}
  setTimeout(resolve, 100);
}))
"""


class MainThread:
    """What watches the main thread of a page.

    :raises RuntimeError: the page does not tell of long tasks.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable")
        page.evaluate(WATCH)
        page.evaluate(CALIBRATE)
        page.wait_for_timeout(200)
        if not 100 < self.longest_task() < 250:
            raise RuntimeError("long tasks are not seen")

    def seconds(self, of: str = "TaskDuration") -> float:
        """Return the time spent so far in all tasks, or in scripts: `ScriptDuration`."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return next(float(one["value"]) for one in metrics if one["name"] == of)

    def forget(self) -> None:
        """Forget the long tasks so far."""
        self._page.evaluate("window.benchTasks.length = 0; window.benchFrames.length = 0;")

    def longest_task(self) -> float:
        """Return the longest task in milliseconds; 0 when none took 50."""
        return float(self._page.evaluate("Math.max(0, ...window.benchTasks)"))

    def slowest_frames(self) -> list[dict[str, Any]]:
        """Return the five slowest frames, and what they ran."""
        frames: list[dict[str, Any]] = self._page.evaluate("window.benchFrames")
        return sorted(frames, key=lambda frame: -frame["ms"])[:5]

    def rest(self) -> None:
        """Wait until it has nothing to do."""
        before = self.seconds()
        while True:
            self._page.wait_for_timeout(PAUSE * 1e3)
            now = self.seconds()
            if now - before < REST:
                return
            before = now

    def busy_ms(self, what: Callable[[], Any]) -> float:
        """Return how long it is busy with something, until it is at rest again."""
        self.rest()
        before = self.seconds()
        what()
        self.rest()
        return (self.seconds() - before) * 1e3
