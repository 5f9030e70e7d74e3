"""Bodies that are packed: each kind that a client library unpacks, cut anywhere."""

from __future__ import annotations

import zlib

import pytest

from jupyter_stop_chat.chat_handlers.hearing.faults import ProviderFault
from tests.chat_handlers.hearing.bodies import DONE, STREAM, Body, chunk, client_of

SAID = b"".join(chunk(f"word {at} ") for at in range(20)) + DONE
#: What zlib calls each.
KINDS = {"gzip": ("gzip", 31), "deflate": ("deflate", 15), "bare deflate": ("deflate", -15)}


def packed(kind: str) -> bytes:
    packing = zlib.compressobj(6, zlib.DEFLATED, KINDS[kind][1])
    return packing.compress(SAID) + packing.flush()


async def read(body: Body, encoding: str) -> bytes:
    async with client_of(body, headers={**STREAM, "content-encoding": encoding}) as client:
        request = client.build_request("GET", "http://there")
        response = await client.send(request, stream=True)
        return b"".join([each async for each in response.aiter_bytes()])


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_packed_body_says_what_it_says_unpacked(kind: str, size: int) -> None:
    """V1: also where a server means by `deflate` what has no header."""
    data = packed(kind)
    body = Body([data[at : at + size] for at in range(0, len(data), size)])
    said = await read(body, KINDS[kind][0])
    assert said.count(b"word ") == 20
    assert said.endswith(DONE)


async def test_a_body_that_is_not_packed_so_is_the_provider_s_fault() -> None:
    """L5: it is told as what it is, with what came before it."""
    packing = zlib.compressobj(6, zlib.DEFLATED, 31)
    begun = packing.compress(chunk("word ")) + packing.flush(zlib.Z_SYNC_FLUSH)
    with pytest.raises(ProviderFault):
        await read(Body([begun, b"\xff\xff\xff\xff"]), "gzip")
    with pytest.raises(ProviderFault):
        await read(Body([b"plain words"]), "deflate")
