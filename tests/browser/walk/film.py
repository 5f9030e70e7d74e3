"""A moving picture of a page, put together from screenshots of it."""

from __future__ import annotations

import io
import time
from itertools import pairwise
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

#: What a person sees of the mouse, which is in no screenshot: an arrow that follows it.
POINTER = """
() => {
  const arrow = document.createElement('div');
  arrow.innerHTML = `<svg width="22" height="22" viewBox="0 0 22 22"><path
    d="M2 1 L2 17 L6.5 13 L9.5 20 L12.5 18.7 L9.5 12 L15.5 12 Z"
    fill="black" stroke="white" stroke-width="1.4"/></svg>`;
  arrow.setAttribute('aria-hidden', 'true');
  arrow.style.cssText = 'position:fixed;left:0;top:0;z-index:99999;pointer-events:none';
  document.body.append(arrow);
  document.addEventListener('mousemove', event => {
    arrow.style.transform = `translate(${event.clientX - 2}px, ${event.clientY - 1}px)`;
  }, true);
}
"""
#: In milliseconds: how long the last picture stays before all of it begins anew.
LAST = 4000


class Film:
    """What takes screenshots one after another, and notes when."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[tuple[float, Image.Image]] = []
        page.evaluate(POINTER)

    def take(self) -> None:
        """Take one more picture."""
        taken = time.monotonic()
        picture = Image.open(io.BytesIO(self._page.screenshot(scale="css"))).convert("RGB")
        # What looks alike is one picture that stays for longer.
        if not self._frames or picture.tobytes() != self._frames[-1][1].tobytes():
            self._frames.append((taken, picture))

    def take_for(self, seconds: float) -> None:
        """Take pictures for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.take()

    def save(self, path: Path) -> None:
        """Write the pictures in the pace in which they were taken."""
        times = [taken for taken, _ in self._frames]
        stays = [round(1000 * (late - early)) for early, late in pairwise(times)]
        first, *others = [picture for _, picture in self._frames]
        path.parent.mkdir(parents=True, exist_ok=True)
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=[*stays, LAST],
            loop=0,
            lossless=True,
            method=6,
            minimize_size=True,
        )
