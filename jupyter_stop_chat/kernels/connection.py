"""One connection to one kernel, for all who use that."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable, Mapping
from contextlib import suppress
from typing import Any, Literal

import zmq

from jupyter_stop_chat.ports.kernels import MARK, KernelError, KernelInfo, Run, RunOutcome

from .heard import Heard, listen
from .host import Host
from .iopub import Iopub
from .probe import Probe
from .request import Request
from .run import LiveRun

log = logging.getLogger(__name__)

#: Every so many seconds is looked whether a kernel lives of which something is awaited.
LOOK_S = 1.0
#: A kernel that does not live may be on its way to its next life: in so many seconds it is looked
#: at again.
AGAIN_S = 0.5

Channel = Literal["shell", "control"]


class Connection:
    """A kernel that is being used.

    :param let_go: called where nobody may use it any more.
    :ivar users: so many use it.
    """

    def __init__(
        self, host: Host, info: KernelInfo, client: Any, let_go: Callable[[Connection], None]
    ) -> None:
        self.info = info
        self.users = 0
        self.remote = host.remote(info.kernel_id)
        self._host = host
        self._let_go = let_go
        self._probe = Probe(self)
        self._runs: list[LiveRun] = []
        self._asked: dict[str, tuple[asyncio.Future[Heard], Hashable]] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self._listening: list[asyncio.Task[None]] = []
        self._begin(client)
        self._looking = asyncio.ensure_future(self._look())

    def _begin(self, client: Any) -> None:
        self._client = client
        self._place = _place(self.life())
        self.iopub = Iopub(client.session.session, self._over, self.life)
        self._listening = [
            asyncio.ensure_future(each)
            for each in (self._hear_all(), self._answers("shell"), self._answers("control"))
        ]

    @property
    def exact(self) -> bool:
        """Tell whether it ends a run by its mark."""
        return self._probe.fit

    @property
    def unused(self) -> bool:
        """Tell whether nobody uses it, and no run goes on in it."""
        return not self.users and all(run.request is None for run in self._runs)

    async def idle(self) -> None:
        """Wait until the kernel has nothing to do, and can end runs by their marks.

        :raises KernelError: `dead`, `no_answer`.
        """
        await self._probe.idle()

    def expect(self, mark: str) -> LiveRun:
        """Watch for a run that is about to be sent."""
        run = LiveRun(self, mark)
        self.iopub.watch()
        self._runs.append(run)
        return run

    async def execute(self, run: Run, code: str) -> None:
        """Send a run from here, where no page does; it can ask nobody for input."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            # Its failure leaves alone what a person has waiting behind it.
            "stop_on_error": False,
        }
        message = self._message("execute_request", content, {MARK: run.mark})
        run.sent(message["header"]["msg_id"])
        self._send("shell", message)

    async def ask(
        self,
        channel: Channel,
        kind: str,
        content: Mapping[str, Any],
        *,
        told: asyncio.Future[str] | None = None,
    ) -> Heard:
        """Ask the kernel something, and return what it answers.

        :param told: is given the question's id.
        :raises KernelError: `dead`, or `restarting`: it will not answer.
        """
        message = self._message(kind, content)
        msg_id = message["header"]["msg_id"]
        answer: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()
        self._asked[msg_id] = (answer, self.life())
        if told is not None:
            told.set_result(msg_id)
        try:
            self._send(channel, message)
            return await answer
        finally:
            del self._asked[msg_id]

    async def interrupt_plainly(self) -> None:
        """Interrupt whatever the kernel does.

        :raises KernelError: `missing`, `failed`.
        """
        await self._host.interrupt(self.info.kernel_id)

    def life(self) -> Hashable:
        """Return what is another for each life of the kernel; None where that is not known."""
        return self._host.life(self.info.kernel_id)

    def says_busy(self) -> bool:
        """Tell whether the kernel does something, as far as the server knows."""
        return self._host.busy(self.info.kernel_id)

    def unfit(self) -> None:
        """Note that it does not end runs by their marks any more."""
        self._probe.fit = False

    def run_in_background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Do something that nobody waits for; it ends with the connection."""
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    def run_is_over(self, run: LiveRun) -> None:
        """Watch a run no more."""
        self._runs.remove(run)
        self._let_go(self)

    def _message(
        self, kind: str, content: Mapping[str, Any], metadata: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        made: dict[str, Any] = self._client.session.msg(kind, dict(content), metadata=metadata)
        return made

    def _send(self, channel: Channel, message: dict[str, Any]) -> None:
        # A gateway takes all channels on one socket.
        to = getattr(self._client, f"{channel}_channel")
        to.send({**message, "channel": channel})
        if (socket := getattr(to, "socket", None)) is not None:
            # jupyter_client sends past asyncio's socket, which would miss what has just come in.
            socket.get(zmq.EVENTS)

    async def _hear_all(self) -> None:
        async for heard in listen(self._client.iopub_channel, self._client.session):
            try:
                await self.iopub.hear(heard)
            except Exception as error:  # noqa: BLE001 - of whichever kernel: the next one is heard
                log.warning("a message of a kernel fails: %s", type(error).__name__)

    async def _answers(self, channel: Channel) -> None:
        to = getattr(self._client, f"{channel}_channel")
        async for heard in listen(to, self._client.session):
            answer, _ = self._asked.get(heard.parent, (None, None))
            if answer is not None and not answer.done():
                answer.set_result(heard)

    async def _look(self) -> None:
        """Look whether the kernel lives, and still the same life, while something is awaited."""
        while True:
            await asyncio.sleep(LOOK_S)
            if not self._asked and all(run.request is None for run in self._runs):
                continue
            kernel_id = self.info.kernel_id
            if not await self._host.alive(kernel_id):
                await asyncio.sleep(AGAIN_S)
                if not await self._host.alive(kernel_id):
                    self._over("died")
                    continue
            self._leave_behind(self.life())
            if _place(self.life()) != self._place:
                await self._connect_again()

    def _leave_behind(self, life: Hashable) -> None:
        """Settle what was under way in another life of the kernel than this."""
        if self._probe.life != life:
            self._probe.forget()
        for answer, asked_in in self._asked.values():
            if asked_in != life and not answer.done():
                answer.set_exception(KernelError("restarting"))
        for run in [*self._runs]:
            if run.request is not None and run.request.life != life:
                self._settle_of_before(run, run.request, "restarted")

    async def _connect_again(self) -> None:
        """Be connected to the kernel's next life in another place."""
        self._over("died")
        with suppress(KernelError):
            client = await self._host.connect(self.info.kernel_id)
            watched = self.iopub.watched
            await self._end_listening()
            self._begin(client)
            self.iopub.watched = watched

    def _over(self, outcome: RunOutcome, but: str = "") -> None:
        """Settle what was under way in a life of the kernel that has ended.

        :param but: the request of which was heard already in the next life.
        """
        self._probe.forget()
        self.iopub.nothing_before()
        for answer, _ in self._asked.values():
            if not answer.done():
                code: Literal["dead", "restarting"] = "dead" if outcome == "died" else "restarting"
                answer.set_exception(KernelError(code))
        for run in [*self._runs]:
            if run.request is not None and run.request.msg_id != but:
                self._settle_of_before(run, run.request, outcome)

    def _settle_of_before(self, run: LiveRun, request: Request, outcome: RunOutcome) -> None:
        if outcome == "died" or request.taken.is_set():
            run.settle(outcome)
        else:
            # It waited, and is lost; or it was sent to the next life, which is heard soon.
            self.run_in_background(self._settle_lost(run, request, outcome))

    async def _settle_lost(self, run: LiveRun, request: Request, outcome: RunOutcome) -> None:
        try:
            await asyncio.wait_for(request.taken.wait(), LOOK_S)
        except TimeoutError:
            run.settle(outcome)

    async def _end_listening(self) -> None:
        for each in self._listening:
            each.cancel()
        await asyncio.wait(self._listening)
        await self._host.disconnect(self._client)

    async def close(self) -> None:
        """End it; runs that go on are known no more."""
        tasks = [self._looking, *self._background]
        for each in tasks:
            each.cancel()
        await asyncio.wait(tasks)
        await self._end_listening()


def _place(life: Hashable) -> Hashable:
    """Return where a life of a kernel is reached; None where that is not known."""
    return life[1] if isinstance(life, tuple) else None
