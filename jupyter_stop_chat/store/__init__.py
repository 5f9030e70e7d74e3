"""Chats and messages, written ahead of what is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jupyter_stop_chat.threads import in_thread

if TYPE_CHECKING:
    from jupyter_stop_chat.wire.objects import Message

    from .sql import SqlStore


async def make_store(db_url: str, *, owner_process: str, **options: Any) -> SqlStore:
    """Make a store that is not open yet; what it imports, it imports in a thread.

    :param db_url: where, as SQLAlchemy writes it.
    :param owner_process: this server process.
    """
    sql = await in_thread(_import)
    return sql(db_url, owner_process=owner_process, **options)


async def open_store(
    db_url: str,
    *,
    owner_process: str,
    on_degraded: Callable[[bool], None] = lambda degraded: None,
    on_recovered: Callable[[Sequence[Message]], None] = lambda messages: None,
    **options: Any,
) -> SqlStore:
    """Make a store and open it."""
    store = await make_store(db_url, owner_process=owner_process, **options)
    store.on_degraded = on_degraded
    await store.open(on_recovered)
    return store


def _import() -> type[SqlStore]:
    from .sql import SqlStore

    return SqlStore
