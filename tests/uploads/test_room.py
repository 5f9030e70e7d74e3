"""Room for what is worked on at once."""

from __future__ import annotations

import asyncio

from jupyter_stop_chat.uploads.room import Room


async def test_who_has_much_keeps_no_place_from_the_others() -> None:
    """W25: and who gives up waiting leaves nothing behind."""
    room = Room(3, 2)
    works: list[str] = []
    go_on = asyncio.Event()

    async def work(owner: str) -> None:
        async with room.place(owner):
            works.append(owner)
            await go_on.wait()

    annas = [asyncio.create_task(work("anna")) for _ in range(5)]
    await asyncio.sleep(0)
    bens = [asyncio.create_task(work("ben")) for _ in range(2)]
    await asyncio.sleep(0)
    assert works == ["anna", "anna", "ben"]
    annas[3].cancel()
    go_on.set()
    await asyncio.gather(*annas[:3], annas[4], *bens)
    assert works.count("anna") == 4
    assert works.count("ben") == 2
    assert annas[3].cancelled()
    assert not room._here
    assert not room._shares
