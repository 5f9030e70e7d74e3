"""A file of any released schema opens, and the newest one is what the code says."""

import asyncio
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from jupyter_stop_chat.store import migrations
from jupyter_stop_chat.store.schema import metadata
from jupyter_stop_chat.store.sqlite.prepare import (
    file_of,
    file_system_of,
    migrate,
    prepare,
    url_of,
)
from jupyter_stop_chat.wire.objects import MessageState

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.glob("*.sqlite3")))
async def test_a_released_file_opens_and_takes_writes(new_store, path, make, name):
    """H10: whatever version made it: it is read, searched, recovered and written to."""
    path.parent.mkdir()
    shutil.copy(FIXTURES / name, path)
    told = []
    store = await new_store("host:1:a")
    await store.open(told.extend)
    (chat,) = await store.list_chats("somebody", query="cacti")
    assert chat.title == "Plants 🌵"
    asked, reply, again, running = await store.get_messages(chat.id)
    assert (asked.role, asked.text) == ("user", "What do cacti drink?")
    assert asked.attachments[0].name == "notes.md"
    assert (reply.state, reply.text) == (MessageState.COMPLETED, "Very little 🌵 water.")
    assert (reply.text_length, reply.usage.output_tokens, reply.reasoning) == (21, 7, "Hm.")
    assert again.reply_to == reply.id
    assert (running.state, running.text) == (MessageState.INTERRUPTED, "From their st")
    assert [message.id for message in told] == [running.id]
    assert await store.find_request("somebody", reply.request_id) == reply
    await store.begin_turn([make.message(chat, "user", "Thanks!")])
    assert [found.id for found in await store.list_chats("somebody", query="thanks")] == [chat.id]


def test_the_revisions_lead_to_the_tables_that_the_code_uses():
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def _config():
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def test_head_is_the_newest_revision():
    assert ScriptDirectory.from_config(_config()).get_current_head() == migrations.HEAD


def go_through_the_revisions(connection):
    """Write rows by turns, and find each message's own in order, before and after."""
    rows = [(1, "a"), (2, "x"), (1, "b"), (2, "y"), (1, "c"), (2, "z")]
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")
    connection.execute(text("INSERT INTO chats VALUES ('c', 'me', NULL, '', '', 1)"))
    message = text(
        "INSERT INTO messages "
        "(seq, id, chat_id, owner, role, text, text_length, state, created_at) "
        "VALUES (:seq, :id, 'c', 'me', 'assistant', '', 0, 'generating', '')"
    )
    connection.execute(message, [{"seq": 1, "id": "1"}, {"seq": 2, "id": "2"}])
    row = text("INSERT INTO deltas (message, part, text) VALUES (:message, 'text', :text)")
    for number, words in rows:
        connection.execute(row, {"message": number, "text": words})
    for move, revision in (("upgrade", "head"), ("downgrade", "0001"), ("upgrade", "head")):
        getattr(command, move)(config, revision)
        found = connection.execute(text("SELECT message, text FROM deltas ORDER BY message, n"))
        assert [tuple(each) for each in found] == sorted(rows)


def test_waiting_text_is_in_order_after_each_revision():
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        go_through_the_revisions(connection)
    engine.dispose()


def count_older_replies(connection):
    """Bring rows of before prices to the newest revision, and look at what was counted of them."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "0006")
    chat = text(
        "INSERT INTO chats (id, owner, created_at, updated_at, changed) "
        "VALUES (:id, 'me', '', '', 1)"
    )
    connection.execute(chat, [{"id": "rude"}, {"id": "idle"}])
    message = text(
        "INSERT INTO messages "
        "(seq, id, chat_id, owner, role, text, text_length, state, created_at, usage) "
        "VALUES (:seq, :id, 'rude', 'me', 'assistant', '', 0, 'completed', '', :usage)"
    )
    noted = [
        {"input_tokens": 7, "output_tokens": 3},
        {"input_tokens": 3 * 10**9, "output_tokens": 1, "estimated": True},
        {"input_tokens": 10**30, "output_tokens": -4},
        {"input_tokens": 10**400},
        {"input_tokens": None, "output_tokens": 2},
    ]
    rows = [json.dumps(each) for each in noted] + [None]
    values = [{"seq": at, "id": str(at), "usage": each} for at, each in enumerate(rows, 1)]
    connection.execute(message, values)
    command.upgrade(config, "head")
    found = connection.execute(
        text(
            "SELECT input_tokens, output_tokens, cost, estimated, unpriced FROM chats ORDER BY id"
        )
    )
    assert [tuple(each) for each in found] == [(0, 0, 0, False, False), (7, 6, 0, True, True)]


def test_older_replies_are_counted_whatever_was_noted_of_them():
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        count_older_replies(connection)
    engine.dispose()


def test_preparing_twice_changes_nothing(path):
    url = url_of(f"sqlite:///{path}")
    first, second = prepare(url, busy_seconds=1), prepare(url, busy_seconds=1)
    assert (first.fresh, second.fresh) == (True, False)
    assert first.journal == second.journal == "wal"


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
tmpfs /home/me/scratch tmpfs rw 0 0
none /mnt/with\\040space fuse.sshfs rw 0 0
broken
"""


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("/var/x/y", "ext4"),
        ("/home/me/chats.db", "nfs4"),
        ("/home/me/scratch/chats.db", "tmpfs"),
        ("/homes/chats.db", "ext4"),
        ("/mnt/with space/chats.db", "fuse.sshfs"),
    ],
)
def test_the_file_system_is_that_of_the_longest_mount(where, kind):
    assert file_system_of(Path(where), MOUNTS) == kind


async def test_a_network_file_system_gets_no_wal(new_store, make, monkeypatch, caplog):
    """WAL needs memory that hosts share, which no network file system has."""
    named = "jupyter_stop_chat.store.sqlite.prepare.file_system_of"
    monkeypatch.setattr(named, lambda path: "nfs4")
    store = await new_store()
    await store.open()
    assert store.health()["journal_mode"] == "delete"
    assert caplog.text.count("slower 'delete' journal") == 1
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "kept")
    assert (await store.get_message(reply.id)).text == "kept"


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite://", None),
        ("sqlite+aiosqlite:///:memory:", None),
        ("sqlite:////data/chats.db", Path("/data/chats.db")),
        ("sqlite:///file:/data/a%20b.db?mode=ro&uri=true", Path("/data/a b.db")),
        ("sqlite:///file:x?mode=memory&cache=shared&uri=true", None),
        ("postgresql://me:secret@host/db", None),
    ],
)
def test_a_url_names_its_file(url, file):
    assert file_of(url_of(url)) == file


def test_urls_get_the_drivers_that_fit():
    assert url_of("sqlite:///x").drivername == "sqlite"
    assert url_of("sqlite+aiosqlite:///x").drivername == "sqlite"
    assert url_of("postgresql://host/db").drivername == "postgresql+asyncpg"
    assert url_of("postgresql+psycopg://host/db").drivername == "postgresql+asyncpg"


async def test_health_masks_the_password(new_store):
    store = await new_store(url="postgresql+psycopg2cffi://me:secret@host/db")
    assert "secret" not in str(store.health())


async def test_a_file_of_a_newer_version_is_not_touched(new_store, path, make):
    """A downgrade must not damage what a newer version wrote: it goes on in memory."""
    await asyncio.to_thread(prepare, url_of(f"sqlite:///{path}"), busy_seconds=1)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = path.read_bytes()
    store = await new_store()
    await store.open()
    assert store.health()["reason"] == "newer"
    chat = make.chat()
    await store.create_chat(chat)
    assert await store.get_chat(chat.id) == chat
    await store.close()
    assert path.read_bytes() == before
