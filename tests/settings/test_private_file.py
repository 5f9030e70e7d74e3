"""A private file is changed by one process at a time, and by none that cannot read it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from jupyter_stop_chat.models.key_file import Entry, KeyFile

CANARY = "sk-canary-0123456789"


def test_keys_that_cannot_be_read_now_are_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U6: a disk that fails for a moment takes nobody's key."""
    path = tmp_path / "keys.json"
    file = KeyFile(path, lambda: None)
    file.change("user:ben", "openai", Entry(CANARY))
    before = path.read_bytes()
    with monkeypatch.context() as patch:

        def fails(*_: object) -> bytes:
            raise OSError(24, "Too many open files")

        patch.setattr(Path, "read_bytes", fails)
        with pytest.raises(OSError, match="Too many"):
            file.change("user:anna", "openai", Entry("sk-anna"))
    assert path.read_bytes() == before


def test_processes_that_keep_keys_at_once_take_nothing_from_each_other(tmp_path: Path) -> None:
    """U6: each reads what the other has written before it writes all of it anew."""
    path = tmp_path / "keys.json"
    together = threading.Barrier(4)

    def keeps(name: str) -> None:
        own = KeyFile(path, lambda: None)
        together.wait(30)
        for at in range(5):
            own.change(f"user:{name}-{at}", "openai", Entry(CANARY))

    threads = [threading.Thread(target=keeps, args=(each,)) for each in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(KeyFile(path, lambda: None).read_names()) == 20
