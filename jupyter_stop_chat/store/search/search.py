"""Find words in titles and texts, however the database can: FTS5, tsvector, or LIKE.

The index is derived data and no part of the schema's revisions: it is made when a database is
opened that has none, and dropped when this SQLite cannot keep it up to date.
"""

from __future__ import annotations

import unicodedata

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, text
from sqlalchemy.exc import OperationalError

from jupyter_stop_chat.store.schema import chats, messages
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.utf16 import whole

#: The most that is searched for: each word costs a look at every text that an index cannot find.
MOST_WORDS, MOST_CHARACTERS = 16, 200

_TRIGGERS = {
    "messages_search_insert": """
        AFTER INSERT ON messages BEGIN
          INSERT INTO message_search(rowid, text) VALUES (new.seq, new.text);
        END""",
    "messages_search_update": """
        AFTER UPDATE OF text ON messages BEGIN
          INSERT INTO message_search(message_search, rowid, text)
            VALUES ('delete', old.seq, old.text);
          INSERT INTO message_search(rowid, text) VALUES (new.seq, new.text);
        END""",
    "messages_search_delete": """
        AFTER DELETE ON messages BEGIN
          INSERT INTO message_search(message_search, rowid, text)
            VALUES ('delete', old.seq, old.text);
        END""",
}


def ensure_search(connection: Connection) -> bool:
    """Make the search index of a database that has none; tell whether there is one."""
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(
                "CREATE INDEX IF NOT EXISTS messages_search ON messages "
                "USING gin (to_tsvector('simple', text))"
            )
        )
        return True
    if connection.dialect.name != "sqlite":
        return False
    there = set(
        connection.execute(
            text(
                "SELECT name FROM sqlite_master WHERE name = 'message_search' "
                "OR name LIKE 'messages\\_search\\_%' ESCAPE '\\'"
            )
        ).scalars()
    )
    if not has_fts5(connection):
        # Another SQLite made the index; with its triggers in place this one could write nothing.
        for name in there & _TRIGGERS.keys():
            connection.execute(text(f"DROP TRIGGER {name}"))
        return False
    if there >= {"message_search", *_TRIGGERS}:
        return True
    for name in there & _TRIGGERS.keys():
        connection.execute(text(f"DROP TRIGGER {name}"))
    connection.execute(
        text(
            "CREATE VIRTUAL TABLE IF NOT EXISTS message_search USING fts5("
            "text, content='messages', content_rowid='seq', "
            "tokenize='unicode61 remove_diacritics 2')"
        )
    )
    for name, body in _TRIGGERS.items():
        connection.execute(text(f"CREATE TRIGGER {name} {body}"))
    connection.execute(text("INSERT INTO message_search(message_search) VALUES ('rebuild')"))
    return True


def drop_search(connection: Connection) -> None:
    """Drop SQLite's search index, damaged or not."""
    for name in _TRIGGERS:
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
    # A damaged virtual table cannot even be dropped: its entry is taken out of the schema by
    # hand, and then the ordinary tables that were behind it.
    connection.execute(text("PRAGMA writable_schema = ON"))
    connection.execute(text("DELETE FROM sqlite_master WHERE name = 'message_search'"))
    connection.execute(text("PRAGMA writable_schema = RESET"))
    for part in ("data", "idx", "docsize", "config", "content"):
        connection.execute(text(f"DROP TABLE IF EXISTS message_search_{part}"))


def has_fts5(connection: Connection) -> bool:
    """Tell whether this SQLite has FTS5."""
    try:
        connection.execute(text("SELECT fts5_source_id()"))
    except OperationalError:
        return False
    return True


def words_of(query: str) -> list[str]:
    """Split what a person typed into words.

    :raises StopChatError: `query_too_long`.
    """
    query = whole(query).replace("\ufffd", " ")
    # Looked at before it is split: a query can be as long as an address.
    query = query.strip()
    if len(query) > MOST_CHARACTERS or len(words := query.split()) > MOST_WORDS:
        raise StopChatError(ErrorCode.QUERY_TOO_LONG)
    return words


def matches(query: str, dialect: str, indexed: bool) -> ColumnElement[bool] | None:
    """Make the condition on `chats` for what a person typed; None when it is blank.

    Every word must be found, as the beginning of a word, in the title or in one message.

    :param query: any text: none of it is syntax.
    :param dialect: the name of the database's dialect.
    :param indexed: whether `ensure_search` said that there is an index.
    :raises StopChatError: `query_too_long`.
    """
    found = in_text(query, dialect, indexed)
    if found is None:
        return None
    in_title = and_(*(chats.c.title.icontains(word, autoescape=True) for word in words_of(query)))
    return or_(in_title, chats.c.id.in_(select(messages.c.chat_id).where(found)))


def in_text(query: str, dialect: str, indexed: bool) -> ColumnElement[bool] | None:
    """Make the condition on `messages` for what a person typed; None when it is blank.

    :raises StopChatError: `query_too_long`.
    """
    words = words_of(query)
    if not words:
        return None
    found: ColumnElement[bool]
    if not indexed or not all(map(is_indexed, words)):
        found = and_(*(messages.c.text.icontains(word, autoescape=True) for word in words))
    elif dialect == "postgresql":
        found = func.to_tsvector(text("'simple'"), messages.c.text).op("@@")(
            func.to_tsquery(text("'simple'"), " & ".join(map(_prefix_postgresql, words)))
        )
    else:
        phrases = " ".join('"' + word.replace('"', '""') + '"*' for word in words)
        found = messages.c.seq.in_(
            select(text("rowid"))
            .select_from(text("message_search"))
            .where(text("message_search MATCH :words").bindparams(words=phrases))
        )
    return found


def _prefix_postgresql(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "':*"


def is_indexed(word: str) -> bool:
    """Tell whether the index splits a text into such words.

    Scripts without spaces between words are one long word to it, and signs are no words.
    """
    letters = [sign for sign in word if unicodedata.category(sign)[0] in "LN"]
    return bool(letters) and not any(
        unicodedata.east_asian_width(sign) in "WF" or "\u0e00" <= sign <= "\u0eff"
        for sign in letters
    )
