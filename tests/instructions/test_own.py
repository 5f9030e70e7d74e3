"""A person's instructions are kept on the server, over a restart, for all who work there."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest

from jupyter_stop_chat.instructions.own import OwnInstructions
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stop-chat" / "instructions.json"


def write(path: Path, held: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(held)


async def test_they_are_kept_for_each_and_seen_by_another_process(path: Path) -> None:
    one, other = OwnInstructions(path), OwnInstructions(path)
    assert await one.of("anna") == ""
    await one.set("anna", "Be brief.\n\u00fc")
    await other.set("ben", "Be long.")
    assert [await each.of("anna") for each in (one, other)] == ["Be brief.\n\u00fc"] * 2
    assert await one.of("ben") == "Be long."
    await other.set("anna", " \n")
    assert await one.of("anna") == ""
    assert stat.S_IMODE((await asyncio.to_thread(path.stat)).st_mode) == 0o600


async def test_many_at_once_lose_nothing(path: Path) -> None:
    stores = [OwnInstructions(path) for _ in range(2)]
    await asyncio.gather(*(stores[n % 2].set(f"{n}", f"text {n}") for n in range(20)))
    assert [await stores[0].of(f"{n}") for n in range(20)] == [f"text {n}" for n in range(20)]


@pytest.mark.parametrize(
    "held",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"version": 9, "instructions": [{"owner": "anna", "text": "a"}]}',
        b'{"version": 1, "instructions": 5}',
        b'{"version": 1, "instructions": [5, {"owner": 1, "text": "a"}, {"owner": "anna"}]}',
        json.dumps(
            {"version": 1, "instructions": [{"owner": "anna", "text": "x" * 16_001}]}
        ).encode(),
    ],
)
async def test_what_is_damaged_counts_for_nothing(path: Path, held: bytes) -> None:
    write(path, held)
    own = OwnInstructions(path)
    assert await own.of("anna") == ""
    await own.set("anna", "Anew.")
    assert await OwnInstructions(path).of("anna") == "Anew."


async def test_what_cannot_be_kept_is_told(path: Path) -> None:
    write(path.parent, b"no folder")
    with pytest.raises(StopChatError) as told:
        await OwnInstructions(path).set("anna", "Be brief.")
    assert told.value.code is ErrorCode.INTERNAL
