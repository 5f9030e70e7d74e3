"""How a kernel is found to be idle, and is given what ends runs by their marks."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Hashable
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jupyter_stop_chat.ports.kernels import KernelError
from jupyter_stop_chat.threads import in_thread

if TYPE_CHECKING:
    from .connection import Connection

log = logging.getLogger(__name__)

#: Whoever sends several cells has sent them within so many seconds.
QUIET_S = 0.05
#: What a kernel tells everybody comes a little behind its answers.
BEHIND_S = 1.0
#: A kernel that is not busy and says nothing for so many seconds does not answer.
PATIENCE_S = 30.0
#: What is put into a kernel, in this order.
PARTS = ("frames.py", "raised.py", "waited.py", "in_kernel.py")
#: How one part has the names of another: there, all have the same.
_OF_A_PART = re.compile(r"(?m)^from \.\w+ .*$")
#: The answer is an expression's value: code in a silent request shows none. The names that a
#: person may have given anew are not asked for.
_EXPRESSION = (
    "(lambda exec, space: ([exec(each, space) for each in {parts!r}], space['install']())[1])"
    "(__import__('builtins').exec, {{'__name__': 'jupyter_stop_chat.in_kernel'}})"
)
_NAME = "stop_chat"


@cache
def _expression() -> str:
    """Return what puts the piece into a kernel. Blocks: it reads files."""
    folder = files(__package__)
    texts = [folder.joinpath(each).read_text(encoding="utf-8") for each in PARTS]
    return _EXPRESSION.format(parts=[_OF_A_PART.sub("", each) for each in texts])


class Probe:
    """What asks a kernel something that waits behind all that it has to do.

    :ivar fit: it ends runs by their marks.
    :ivar life: the kernel's, of which that is known.
    """

    def __init__(self, connection: Connection) -> None:
        self.fit = False
        self.life: Hashable = None
        self._connection = connection
        self._implementation: str | None = None

    def forget(self) -> None:
        """Know nothing of the kernel: it is not the one that was asked."""
        self.fit, self._implementation = False, None

    async def idle(self) -> None:
        """Wait until the kernel has nothing to do, and has what ends runs by their marks.

        :raises KernelError: `dead`, `no_answer`.
        """
        while True:
            try:
                if await self._answered():
                    if await self._quiet():
                        return
                else:
                    await asyncio.sleep(QUIET_S)
            except KernelError as error:
                if error.code != "restarting":
                    raise

    async def _answered(self) -> bool:
        """Have the kernel answer; tell whether all that was before is over, and is heard of."""
        if self._implementation is None:
            self.life = self._connection.life()
            told = await self._ask("kernel_info_request", {})
            if "implementation" not in told:
                return False
            self._implementation = str(told.get("implementation", ""))
        if self._connection.remote or self._implementation != "ipython":
            await self._ask("kernel_info_request", {})
            return True
        told = await self._ask(
            "execute_request",
            {
                "code": "",
                "silent": True,
                "store_history": False,
                "user_expressions": {_NAME: await in_thread(_expression)},
                "allow_stdin": False,
                "stop_on_error": False,
            },
        )
        if told.get("status") == "aborted":  # a cell of its person before it had failed
            return False
        answer = (told.get("user_expressions") or {}).get(_NAME) or {}
        self.fit = (answer.get("data") or {}).get("text/plain") == "'fit'"
        if not self.fit:
            log.info("a kernel does not end cells by their marks: it is interrupted plainly")
        return True

    async def _quiet(self) -> bool:
        """Tell whether nothing else had waited; if something had, return when that is done.

        What had waited behind the first question has come before a second one.
        """
        iopub = self._connection.iopub
        before = iopub.taken_up
        with suppress(TimeoutError):
            async with asyncio.timeout(QUIET_S):
                while iopub.taken_up == before:
                    await iopub.stirred()
        told = await self._ask("kernel_info_request", {})
        return "implementation" in told and iopub.taken_up == before

    async def _ask(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        """Ask the kernel, and return what it answers, once it told everybody that it is done.

        Whoever is heard in that has connected in time: nothing of a run is missed then.
        """
        connection = self._connection
        told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        asked = asyncio.ensure_future(connection.ask("shell", kind, content, told=told))
        try:
            idle = asyncio.ensure_future(connection.iopub.idle_of(await told))
            try:
                while not asked.done():
                    await asyncio.wait({asked}, timeout=PATIENCE_S)
                    if not asked.done() and self._is_mute():
                        raise KernelError("no_answer")
                answer = await (await asked).content()
                await asyncio.wait({idle}, timeout=BEHIND_S)
                if not idle.done():
                    return {"status": "aborted"}
                connection.iopub.nothing_before()
                return answer
            finally:
                idle.cancel()
        finally:
            asked.cancel()

    def _is_mute(self) -> bool:
        """Tell whether a kernel says nothing that has nothing to do."""
        heard = self._connection.iopub.heard_at is not None
        return not heard and not self._connection.says_busy()
