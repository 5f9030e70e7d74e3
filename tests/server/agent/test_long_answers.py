"""What a reply changed may be very long: it is answered in parts, and holds nobody up."""

from __future__ import annotations

import json
from typing import Any

from tornado.iostream import StreamClosedError

from jupyter_stop_chat.server.agent.changes import LONG, finish_in_parts, listed


class Written:
    """What stands in for a handler: it keeps what is written between two waits."""

    def __init__(self, gone_after: int | None = None) -> None:
        self.pieces: list[str] = [""]
        self.ended = False
        self._gone_after = gone_after

    def set_header(self, name: str, value: str) -> None:
        assert (name, value) == ("Content-Type", "application/json")

    def write(self, part: str) -> None:
        self.pieces[-1] += part

    async def flush(self) -> None:
        self.pieces.append("")
        if len(self.pieces) == self._gone_after:
            raise StreamClosedError

    def finish(self) -> None:
        self.ended = True


async def _written(changes: list[str], **more: Any) -> Written:
    handler: Any = Written(**more)
    await finish_in_parts(handler, ["[", *listed(changes), "]"])
    written: Written = handler
    return written


async def test_a_long_answer_is_written_in_parts() -> None:
    """N10: files of 400,000 characters, none of them together with another."""
    change = json.dumps("x" * 400_000)
    handler = await _written([change] * 8)
    assert handler.ended
    assert max(map(len, handler.pieces)) < LONG + len(change) + 10
    assert "".join(handler.pieces) == f"[{','.join([change] * 8)}]"
    short = await _written(['"a"', '"b"'])
    assert short.pieces == ['["a","b"]']


async def test_who_asked_may_go_meanwhile() -> None:
    """N10: nothing more is written then, and nothing fails."""
    handler = await _written([json.dumps("x" * LONG)] * 9, gone_after=3)
    assert len(handler.pieces) == 3
    assert not handler.ended
