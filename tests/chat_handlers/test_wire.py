"""What providers send, word for word, and what is made of it, however the network cuts it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.base import Finished, TokensUsed
from jupyter_stop_chat.chat_handlers.langchain import LangChainHandler
from jupyter_stop_chat.errors import StopChatError
from tests.providers.chat_models import make_model
from tests.providers.reading import Reading, nothing_left

FOLDER = Path(__file__).parent.parent / "providers" / "wire"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text())


class WireProvider:
    """A server that answers with files, and notes when its clients are gone."""

    def __init__(self, cut: str) -> None:
        self.files: list[Path] = []
        self.cut = cut
        self.requests: list[dict[str, Any]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> WireProvider:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client is gone, or the test is over
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        asked = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(asked.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        self.requests.append(json.loads(await reader.readexactly(length)))
        head, _, body = self.files.pop(0).read_bytes().partition(b"\n\n")
        lines = head.decode().split("\n")
        then = next((line.partition(": ")[2] for line in lines if line.startswith("Then:")), "")
        lines = [line for line in lines if not line.startswith("Then:")]
        writer.write("\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode())
        for piece in self._pieces(body):
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            await asyncio.sleep(0)
        if then == "hold":
            await reader.read()
            return False
        if then == "reset":
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    def _pieces(self, body: bytes) -> list[bytes]:
        if self.cut == "whole":
            return [body]
        if self.cut == "lines":
            return body.splitlines(keepends=True)
        return [body[at : at + 1] for at in range(len(body))]


@pytest.mark.parametrize("cut", ["whole", "lines", "bytes"])
@pytest.mark.parametrize("name", EXPECTED)
async def test_what_providers_send(name: str, cut: str) -> None:
    """T1, T2, T3, T4, T5, T6, T7, T13: and the next prompt is answered after it."""
    adapter = name.partition("-")[0]
    expected = EXPECTED[name]
    async with WireProvider(cut) as provider:
        root = "/v1" if adapter in {"openai", "responses"} else ""
        handler = LangChainHandler(make_model(adapter, provider.url + root))
        provider.files = [FOLDER / f"{name}.http"]
        reading = Reading(handler)
        error = await reading.end()
        code = error.code.value if isinstance(error, StopChatError) else error
        finished = [each.reason for each in reading.events if isinstance(each, Finished)]
        assert {
            "text": reading.text,
            "reasoning": reading.reasoning,
            "finish": finished,
            "error": code,
        } == {
            "text": expected["text"],
            "reasoning": expected.get("reasoning", ""),
            "finish": [expected["finish"]] if "finish" in expected else [],
            "error": expected.get("error"),
        }
        usage = [TokensUsed(*expected["usage"])] if "usage" in expected else []
        assert reading.usage == usage
        provider.files = [FOLDER / f"{adapter}-whole.http"]
        again = Reading(handler)
        assert await again.end() is None
        assert again.text.startswith("Hello")
        await handler.close()
        await nothing_left()


def test_every_file_has_its_expected_outcome() -> None:
    assert {path.stem for path in FOLDER.glob("*.http")} == set(EXPECTED)


async def test_a_model_that_cannot_think_is_asked_again_without(tmp_path: Path) -> None:
    """T7: and from then on it is not asked to think at all."""
    refusal = tmp_path / "refusal.http"
    refusal.write_text(
        "HTTP/1.1 400 Bad Request\nContent-Type: application/json\n\n"
        '{"error": "\\"gemma3\\" does not support thinking"}'
    )
    whole = FOLDER / "ollama-whole.http"
    async with WireProvider("whole") as provider:
        handler = LangChainHandler(make_model("ollama", provider.url))
        provider.files = [refusal, whole, whole]
        for _ in range(2):
            reading = Reading(handler)
            assert await reading.end() is None
            assert reading.text == "Hello"
        assert [each.get("think") for each in provider.requests] == [True, None, None]
        await handler.close()
        await nothing_left()
