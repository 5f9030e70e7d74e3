"""A person at a notebook: another client of the same kernel, of whom nothing may be hit."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import zmq.asyncio
from jupyter_client.session import Session

PATIENCE = 30.0


class Person:
    """What sends cells as a page does, and hears what becomes of them.

    :param kernel: the kernel's own manager.
    """

    def __init__(self, kernel: Any) -> None:
        self.session = Session(config=kernel.session.config, key=kernel.session.key)
        self.replies: dict[str, asyncio.Future[dict[str, Any]]] = defaultdict(_future)
        self.idles: dict[str, asyncio.Future[None]] = defaultdict(_future)
        self.begins: dict[str, asyncio.Future[None]] = defaultdict(_future)
        self.shown: dict[str, str] = defaultdict(str)
        self._client = kernel.client(session=self.session, context=zmq.asyncio.Context.instance())
        self._client.start_channels(stdin=False, hb=False)
        self._tasks = [asyncio.ensure_future(each()) for each in (self._iopub, self._shell)]

    async def ready(self) -> None:
        """Wait until what the kernel tells is heard."""
        while True:
            sent = self.send("")
            await self.reply(sent)
            done, _ = await asyncio.wait({self.idles[sent]}, timeout=0.5)
            if done:
                return

    def send(
        self, code: str, mark: str | None = None, subshell: str | None = None, **content: Any
    ) -> str:
        """Send a cell, as JupyterLab does; one of the agent's bears its mark."""
        filled: dict[str, Any] = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": mark is None,
        }
        metadata = {"cellId": "a", **({"stop_chat": mark} if mark else {})}
        message = self.session.msg("execute_request", filled | content, metadata=metadata)
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self._client.shell_channel.send(message)
        self._client.shell_channel.socket.get(zmq.EVENTS)  # else what came in just now is missed
        return str(message["header"]["msg_id"])

    async def control(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        """Ask something on the channel that is answered while cells run."""
        message = self.session.msg(kind, content)
        self._client.control_channel.send(message)
        while True:
            reply = await asyncio.wait_for(self._client.get_control_msg(), PATIENCE)
            if reply["parent_header"]["msg_id"] == message["header"]["msg_id"]:
                return dict(reply["content"])

    async def reply(self, msg_id: str) -> dict[str, Any]:
        """Wait for the answer to a cell."""
        return await asyncio.wait_for(asyncio.shield(self.replies[msg_id]), PATIENCE)

    async def told(self, msg_id: str) -> str:
        """Wait until a cell has come to its end; return how, and what it showed."""
        status = (await self.reply(msg_id))["status"]
        await asyncio.wait_for(asyncio.shield(self.idles[msg_id]), PATIENCE)
        return f"{status} {self.shown[msg_id].strip()}".strip()

    async def run(self, code: str, **how: Any) -> str:
        """Run a cell to its end; return what it showed."""
        return await self.told(self.send(code, **how))

    async def begun(self, msg_id: str) -> None:
        """Wait until a cell runs."""
        await asyncio.wait_for(asyncio.shield(self.begins[msg_id]), PATIENCE)

    async def close(self) -> None:
        """Be gone."""
        for each in self._tasks:
            each.cancel()
        await asyncio.wait(self._tasks)
        self._client.stop_channels()

    async def _iopub(self) -> None:
        while True:
            message = await self._client.get_iopub_msg()
            parent, content = message["parent_header"].get("msg_id", ""), message["content"]
            match message["msg_type"]:
                case "stream":
                    self.shown[parent] += content["text"]
                case "execute_result":
                    self.shown[parent] += content["data"].get("text/plain", "")
                case "execute_input":
                    _tell(self.begins[parent])
                case "status" if content["execution_state"] == "idle":
                    _tell(self.idles[parent])

    async def _shell(self) -> None:
        while True:
            message = await self._client.get_shell_msg()
            answered = self.replies[message["parent_header"]["msg_id"]]
            if not answered.done():
                answered.set_result(message["content"])


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def _tell(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
