"""The list of chats: when each changed, and what is being made."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from jupyter_stop_chat.magics.commands import Commands, ago

NOW = datetime(2026, 3, 12, 14, 30, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2026-03-12T06:05:00.123Z", "08:05"),
        ("2026-03-11T21:59:00Z", "Wed 23:59"),
        ("2026-03-11T22:01:00Z", "00:01"),
        ("2026-03-07T10:00:00Z", "Sat 12:00"),
        ("2026-03-05T10:00:00Z", "2026-03-05"),
        ("2026-03-14T10:00:00Z", "2026-03-14"),
        ("soon", ""),
        ("0001-01-01T00:00:00+14:00", ""),
    ],
)
def test_when_a_chat_changed_is_said_briefly(written: str, said: str) -> None:
    """U30: in the zone of who reads it, and longer the longer ago it was."""
    assert ago(written, NOW) == said


def test_the_list_says_what_is_being_made(capsys: pytest.CaptureFixture[str]) -> None:
    """U30: beside the time; the titles stand below each other."""
    chats = [
        {"id": f"{at}0000000-0000", "title": title, "state": state, "updated_at": when}
        for at, (title, state, when) in enumerate(
            [
                ("Whales", "generating", "2026-01-01T00:00:00Z"),
                ("Larks", "idle", "2026-01-01T00:00:00Z"),
                ("Owls", "paused", "2026-01-01T00:00:00Z"),
            ]
        )
    ]
    backend = SimpleNamespace(chats=lambda *_, **__: chats, label="this kernel")
    backends = SimpleNamespace(backend=lambda line: backend)
    defaults = SimpleNamespace(chat_id=chats[1]["id"])
    Commands(backends, defaults, rich=False).run("list", [])  # type: ignore[arg-type]
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line[:12] for line in lines] == ["  00000000  ", "* 10000000  ", "  20000000  "]
    assert [line[24:] for line in lines] == [
        "being made  Whales",
        "            Larks",
        "paused      Owls",
    ]
