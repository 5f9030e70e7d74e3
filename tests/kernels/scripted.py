"""Kernels that say what a test has them say, and what they are reached by."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Hashable, Sequence
from typing import Any

from jupyter_client.session import DELIM, Session

from jupyter_stop_chat.ports.kernels import KernelInfo

#: Whose requests are told of: the kernel is said to answer a person, who has this session.
PERSON = "person"


class Socket:
    """What a kernel is heard on."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[list[bytes]] = asyncio.Queue()
        self.sent: list[Any] = []

    def recv_multipart(self) -> asyncio.Future[list[bytes]]:
        return asyncio.ensure_future(self.frames.get())

    def get(self, option: int) -> int:
        return 0


class Channel:
    """A channel of a kernel's client."""

    def __init__(self) -> None:
        self.socket = Socket()

    def send(self, message: Any) -> None:
        self.socket.sent.append(message)


class Client:
    """What stands for a client of jupyter_client."""

    def __init__(self) -> None:
        self.session = Session(key=b"")
        self.iopub_channel, self.shell_channel, self.control_channel = (
            Channel() for _ in range(3)
        )
        self.closed = False

    def says(self, *parts: Any, channel: str = "iopub") -> None:
        """Have the kernel send a message of so many parts: JSON, or what is none."""
        frames = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in parts]
        to: Channel = getattr(self, f"{channel}_channel")
        to.socket.frames.put_nowait([DELIM, b"", *frames])

    def tells(
        self,
        kind: str,
        parent: str,
        content: Any,
        *,
        session: str = "kernel",
        of: str = PERSON,
        parent_kind: str = "execute_request",
    ) -> None:
        """Have the kernel tell everybody something about a request."""
        about = {"msg_id": parent, "msg_type": parent_kind, "session": of}
        self.says({"msg_type": kind, "session": session}, about, {}, content)

    def runs(self, parent: str, *, session: str = "kernel", of: str = PERSON) -> None:
        """Have the kernel run a request to its end."""
        how = {"session": session, "of": of}
        self.tells("status", parent, {"execution_state": "busy"}, **how)
        self.tells("execute_input", parent, {"code": "", "execution_count": 1}, **how)
        self.tells("status", parent, {"execution_state": "idle"}, **how)


class ScriptedHost:
    """A server's kernels.

    :ivar clients: those that are connected, by their kernels.
    :ivar gates: what connecting to a kernel waits for; `alive_gate`: what a look at one does.
    """

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.alive_gate: asyncio.Event | None = None
        self.looks = asyncio.Event()
        self.found: list[KernelInfo] = []

    async def kernels(self) -> Sequence[KernelInfo]:
        return self.found

    async def info(self, kernel_id: str) -> KernelInfo:
        return KernelInfo(kernel_id, "python3", "a.ipynb")

    async def connect(self, kernel_id: str) -> Any:
        if (gate := self.gates.get(kernel_id)) is not None:
            await gate.wait()
        self.clients[kernel_id] = Client()
        return self.clients[kernel_id]

    async def disconnect(self, client: Any) -> None:
        client.closed = True

    async def alive(self, kernel_id: str) -> bool:
        self.looks.set()
        if self.alive_gate is not None:
            await self.alive_gate.wait()
        return True

    def life(self, kernel_id: str) -> Hashable:
        return (1, 1)

    def busy(self, kernel_id: str) -> bool:
        return False

    def remote(self, kernel_id: str) -> bool:
        return False

    async def interrupt(self, kernel_id: str) -> None:
        pass

    async def start(self, path: str, name: str | None) -> KernelInfo:
        raise NotImplementedError

    async def restart(self, kernel_id: str) -> None:
        raise NotImplementedError
