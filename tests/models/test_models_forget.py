"""A provider's settings change while one of its models is being built."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from jupyter_stop_chat.models import Models
from jupyter_stop_chat.testing import ScriptedHandler


async def test_what_was_built_with_the_old_settings_is_not_kept(tmp_path: Path) -> None:
    models = Models(tmp_path)
    old, new = ScriptedHandler(["old"]), ScriptedHandler(["new"])
    begun, go_on = threading.Event(), threading.Event()

    def slow(name: str) -> ScriptedHandler:
        begun.set()
        assert go_on.wait(20)
        return old

    models.register("mine", slow)
    first = asyncio.create_task(models.resolve("mine:x"))
    await asyncio.to_thread(begun.wait)
    models.register("mine", lambda name: new)
    go_on.set()
    # Who waited is given what they waited for; the next one gets the new model.
    assert (await first)[0] is old
    assert (await models.resolve("mine:x"))[0] is new
    assert (await models.resolve("mine:x"))[0] is new
    await models.close()
    assert new.closed
