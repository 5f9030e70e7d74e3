"""Stores to test, and what to put into them."""

import asyncio
import uuid
from contextlib import nullcontext
from pathlib import Path

import pytest

from jupyter_stop_chat.store import make_store
from jupyter_stop_chat.wire.objects import Chat, Message, MessageState
from tests.aids.watching.blocking import nothing_blocks

WHEN = "2026-01-01T00:00:00Z"
#: Where one in memory is tried at each run. Elsewhere that is left to the stress tests: it is the
#: same SQLite as in a file, and most tests of the engine run on it.
IN_MEMORY = {"test_store_sql", "test_store_text", "test_store_search"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most of what is tried in memory as well to the stress tests."""
    for item in items:
        params = getattr(item, "callspec", None) and item.callspec.params
        if params and params.get("store") == "memory" and item.path.stem not in IN_MEMORY:
            item.add_marker("stress")


class Make:
    """What makes chats and messages."""

    @staticmethod
    def id() -> str:
        return str(uuid.uuid4())

    @staticmethod
    def chat(owner: str = "me", **more) -> Chat:
        return Chat(
            **{"id": Make.id(), "owner": owner, "created_at": WHEN, "updated_at": WHEN, **more}
        )

    @staticmethod
    def message(chat: Chat, role: str = "assistant", text: str = "", **more) -> Message:
        state = MessageState.GENERATING if role == "assistant" else MessageState.COMPLETED
        values = {"id": Make.id(), "state": state, "created_at": WHEN, **more}
        return Message(
            chat_id=chat.id, role=role, text=text, text_length=len(text.encode("utf-16-le")) // 2,
            **values,
        )  # fmt: skip

    @staticmethod
    def turn(chat: Chat, prompt: str = "Hello?", **more) -> tuple[Message, Message]:
        asked = Make.message(chat, "user", prompt)
        return asked, Make.message(chat, reply_to=asked.id, **more)


@pytest.fixture
def make() -> type[Make]:
    """Make chats and messages."""
    return Make


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a store's file goes."""
    return tmp_path / "data" / "chats.sqlite3"


@pytest.fixture
def new_store(path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop):
    """Make stores on the same file, not opened yet, and close them all at the end."""
    stores = []

    async def new(process="host:1:a", url=None, **options):
        store = await make_store(url or f"sqlite:///{path}", owner_process=process, **options)
        stores.append(store)
        return store

    yield new
    for store in stores:
        jp_asyncio_loop.run_until_complete(store.close())


@pytest.fixture(params=["file", "memory", "postgresql"])
def store(request, new_store, jp_asyncio_loop):
    """Yield an open store; anything that blocks the loop meanwhile fails the test."""
    run = jp_asyncio_loop.run_until_complete
    url = {"memory": "sqlite://"}.get(request.param)
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql")
    made = run(new_store(url=url))
    with nullcontext() if request.param == "postgresql" else nothing_blocks():
        run(made.open())
        yield made
        run(made.close())
