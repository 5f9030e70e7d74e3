"""What is brought from a damaged file into a new one; `tests/faults` damages them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jupyter_stop_chat.store.sqlite.prepare import prepare, url_of
from jupyter_stop_chat.store.sqlite.salvage import salvage

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.sqlite3"))
WAITING = "SELECT message, part, text FROM deltas ORDER BY message, n"


@pytest.mark.parametrize("old", FIXTURES, ids=lambda path: path.stem)
def test_a_file_of_any_released_schema_is_salvaged(path, old):
    """Text that waits is there as well, in order, however its rows lay."""
    prepare(url_of(f"sqlite:///{path}"), busy_seconds=1)
    saved = salvage(old, path)
    with closing(sqlite3.connect(old)) as source, closing(sqlite3.connect(path)) as target:
        assert source.execute("SELECT count(*) FROM messages").fetchone() == (saved,)
        waiting = source.execute(WAITING).fetchall()
        assert waiting
        assert target.execute(WAITING).fetchall() == waiting
