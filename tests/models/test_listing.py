"""A server's list of models is whole, whatever its length or shape."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest

from jupyter_stop_chat.models import listing as listing_module
from jupyter_stop_chat.models.listing import Listing
from jupyter_stop_chat.models.places import Place
from tests.aids.ports import listening
from tests.providers.answers import Answers


def at(address: str) -> Place:
    """Return where an OpenAI-compatible server lists its models."""
    return Place(f"{address}/models")


async def listed(body: Any) -> list[str]:
    async with Answers(lambda sent: (200, body)) as server:
        return list(await Listing().models(at(server.base_url)))


async def test_a_long_list_is_whole() -> None:
    """T14: 375 models, 1.5 MB."""
    data = [{"id": f"m{at:03}", "description": "x" * 4000} for at in range(375)]
    assert len(await listed({"data": data})) == 375


async def test_how_much_a_model_takes_is_told() -> None:
    """U14: each provider has its own word for it; what is no number of tokens is not told."""
    data = [
        {"id": "a", "context_length": 8192},
        {"id": "b", "inputTokenLimit": 1_000_000},
        {"id": "c", "max_context_length": 32768, "loaded_context_length": 4096},
        {"id": "d", "max_model_len": True},
        {"id": "e", "context_window": -1, "context_length": "many"},
        {"id": "f"},
        "g",
    ]
    async with Answers(lambda sent: (200, {"data": data})) as server:
        told = await Listing().models(at(server.base_url))
    assert told == {
        "a": 8192, "b": 1_000_000, "c": 4096, "d": None, "e": None, "f": None, "g": None,
    }  # fmt: skip


async def test_a_list_in_pages_is_whole() -> None:
    """T14."""
    async with Answers(lambda sent: None) as server:

        def page(sent: int) -> Any:
            if len(server.lines) == 1:
                return 200, {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}
            return 200, {"data": [{"id": "b"}], "has_more": False, "last_id": "b"}

        server.answer = page
        assert list(await Listing().models(at(server.base_url))) == ["a", "b"]
        assert "after_id=a" in server.lines[1]


async def test_a_slow_server_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """T14: its list comes at the next look, and stands in while it is asked anew."""
    opened = asyncio.Event()
    names = ["a"]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await opened.wait()
        body = json.dumps({"data": [{"id": each} for each in names]}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    now = 0.0
    listing = Listing(lambda: now)
    async with listening(answer) as port:
        address = f"http://127.0.0.1:{port}/v1"
        monkeypatch.setattr(listing_module, "PATIENCE_S", 0.0)
        assert list(await listing.models(at(address))) == []
        assert list(await listing.models(at(address))) == []
        assert len(listing._asking) == 1, "it is asked once"
        opened.set()
        await asyncio.gather(*listing._asking.values())
        assert list(await listing.models(at(address))) == ["a"]
        opened.clear()
        now = 60.0
        assert list(await listing.models(at(address))) == ["a"], "what it had before, meanwhile"
        names.append("b")
        opened.set()
        await asyncio.gather(*listing._asking.values())
        assert list(await listing.models(at(address))) == ["a", "b"]
        opened.clear()
        now = 120.0
        await listing.models(at(address))
        await listing.close()
        assert not listing._asking
        opened.set()


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"data": None}, []),
        ({"data": None, "models": [{"name": "a"}]}, ["a"]),
        ([{"id": "a"}, {"id": "a"}], ["a"]),
        (["a", "b"], ["a", "b"]),
        ({"data": [{"id": 7}, None, {"id": None}, 3.5]}, ["7"]),
        ("not JSON", []),
        ({"data": {"id": "a"}}, []),
        ({"data": [{"id": "a", "type": ["chat"]}, {"id": "b", "type": {}}]}, ["a", "b"]),
        (
            {"data": [{"id": "models/7B/own.gguf"}, "models/mine"]},
            ["models/7B/own.gguf", "models/mine"],
        ),
        ({"models": [{"name": "models/", "supportedGenerationMethods": ["generateContent"]}]}, []),
        ({"data": ["a", *([[]] * 300_000)]}, []),
    ],
)
async def test_odd_shapes(body: Any, names: list[str]) -> None:
    """T14."""
    assert await listed(body) == names


async def test_what_is_packed_unasked_is_not_unpacked() -> None:
    """T14, V1: a little of it would be very much, and hold everybody up."""
    asked = b""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked = await reader.readuntil(b"\r\n\r\n")
        body = gzip.compress(b'["a"]')
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(body) + body)
        await writer.drain()
        writer.close()

    async with listening(answer) as port:
        address = f"http://127.0.0.1:{port}/v1"
        assert list(await Listing().models(at(address))) == []
        assert b"accept-encoding: identity\r\n" in asked.lower()


async def test_what_names_no_packing_is_read() -> None:
    """T14: some servers send the field, and nothing in it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: \r\nContent-Length: 5\r\n\r\n"
        writer.write(head + b'["a"]')
        await writer.drain()
        writer.close()

    async with listening(answer) as port:
        assert list(await Listing().models(at(f"http://127.0.0.1:{port}/v1"))) == ["a"]


async def test_lists_of_many_servers_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """T14: those that were asked last are kept."""

    async def told(place: Place) -> dict[str, int | None]:
        return {"a": None}

    monkeypatch.setattr(listing_module, "_fetch_anywhere", told)
    listing = Listing()
    for at_ in range(listing_module.MOST_PLACES + 5):
        assert await listing.models(at(f"http://server{at_}"))
    assert len(listing._known) == listing_module.MOST_PLACES
    assert at(f"http://server{listing_module.MOST_PLACES + 4}") in listing._known


async def test_a_list_that_is_cut_small_holds_up_nobody() -> None:
    """T14: the watchdog looks."""
    small = b"1\r\n \r\n" * 40_000

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + small)
        writer.write(b'd\r\n{"data":["m"]\r\n1\r\n}\r\n0\r\n\r\n')
        await writer.drain()
        await reader.read()
        writer.close()

    async with listening(serve) as port:
        listing = Listing()
        told = await listing.models(Place(f"http://127.0.0.1:{port}/v1/models"), patience=10.0)
        assert told == {"m": None}
        await listing.close()
