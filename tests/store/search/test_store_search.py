"""Search takes what a person types, whatever that is."""

import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.dialects import postgresql

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store.schema import chats
from jupyter_stop_chat.store.search import search
from jupyter_stop_chat.store.search.hits import LONGEST, LOOKED_AT, line_with
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState
from tests.aids.in_turn import in_turn
from tests.examples import examples


async def _filled(store, make) -> dict[str, str]:
    names = {}
    for name, title, prompt, reply in [
        ("bread", "Baking", "How long must dough rest?", "Überall: an HOUR; 100% sure."),
        ("code", None, 'print("a\\b_c")', "x -> y AND z"),
        ("japan", "旅行", "東京で何を食べますか", "寿司"),
    ]:
        chat = make.chat(title=title)
        asked, answer = make.turn(chat, prompt)
        await store.begin_turn([asked, answer], chat)
        await store.append(answer.id, reply)
        await store.settle(answer.id, Settlement(MessageState.COMPLETED))
        names[chat.id] = name
    return names


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("dough", {"bread"}),
        ("DOU res", {"bread"}),
        ("dough sushi", set()),
        ("bak", {"bread"}),
        ("hour", {"bread"}),
        ("100%", {"bread"}),
        ("旅行", {"japan"}),
        ("食べ", {"japan"}),
        ("寿司", {"japan"}),
        ("AND", {"code"}),
        ('"a\\b_c"', {"code"}),
        ("->", {"code"}),
        ("%", {"bread"}),
        ("_", {"code"}),
        ("  ", {"bread", "code", "japan"}),
        ("", {"bread", "code", "japan"}),
        ("NEAR(", set()),
        ("text:dough", set()),
        ("\0", {"bread", "code", "japan"}),
        ("\ud83d", {"bread", "code", "japan"}),
    ],
)
async def test_words_are_found_in_titles_and_texts(
    new_store, make, monkeypatch, indexed, query, found
):
    if not indexed:
        monkeypatch.setattr(search, "has_fts5", lambda connection: False)
    store = await new_store(url="sqlite://")
    await store.open()
    assert store.health()["search"] == ("index" if indexed else "scan")
    names = await _filled(store, make)
    assert {names[chat.id] for chat in await store.list_chats("me", query=query)} == found
    assert await store.list_chats("you", query=query) == []


@settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    query=st.text(
        alphabet=st.sampled_from("ab東\"'*:^()-+{}\\%_&|!<> \0\ud800ANDORNEAT"), max_size=12
    )
)
def test_no_query_is_a_syntax_error(tmp_path_factory, query):
    """What a person types is never syntax, neither FTS5's nor SQL's."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE message_search USING fts5(text)")
    connection.execute("CREATE TABLE chats (id, owner, title, created_at, updated_at, changed)")
    connection.execute("CREATE TABLE messages (seq INTEGER PRIMARY KEY, chat_id, text)")
    connection.execute("INSERT INTO message_search VALUES ('ab')")
    for indexed in (True, False):
        condition = search.matches(query, "sqlite", indexed)
        if condition is not None:
            compiled = select(chats.c.id).where(condition).compile(dialect=_sqlite())
            values = [compiled.params[name] for name in compiled.positiontup or ()]
            connection.execute(str(compiled), values).fetchall()
    connection.close()


def test_postgresql_is_asked_in_its_own_words():
    condition = search.matches("it's fin", "postgresql", True)
    compiled = select(chats.c.id).where(condition).compile(dialect=postgresql.dialect())
    assert "to_tsvector('simple', messages.text) @@ to_tsquery('simple'" in str(compiled)
    assert "'it''s':* & 'fin':*" in compiled.params.values()


async def test_an_index_made_elsewhere_does_not_stop_a_sqlite_without_fts5(
    new_store, make, monkeypatch
):
    """A file from a machine with FTS5 still takes writes on one without."""
    store = await new_store()
    await store.open()
    names = await _filled(store, make)
    await store.close()
    with monkeypatch.context() as patch:
        patch.setattr(search, "has_fts5", lambda connection: False)
        store = await new_store()
        await store.open()
        assert store.health()["search"] == "scan"
        chat = make.chat()
        await store.begin_turn([make.message(chat, "user", "dough again")], chat)
        names[chat.id] = "new"
        found = await store.list_chats("me", query="dough")
        assert {names[each.id] for each in found} == {"bread", "new"}
        await store.close()
    store = await new_store()
    await store.open()
    assert store.health()["search"] == "index"
    found = await store.list_chats("me", query="dough")
    assert {names[each.id] for each in found} == {"bread", "new"}


def _sqlite():
    from sqlalchemy.dialects import sqlite

    return sqlite.dialect(paramstyle="qmark")


@in_turn("query", ["a " * 17, "a" * 201, "a " * 30_000, "x" * 100_000])
async def test_a_search_for_too_much_is_refused(store, make, query):
    """It would hold everybody up, and the database refuses an expression of so many parts."""
    await _filled(store, make)
    with pytest.raises(StopChatError) as refused:
        await store.list_chats("me", query=query)
    assert refused.value.code is ErrorCode.QUERY_TOO_LONG


async def test_a_search_for_as_much_as_is_allowed(store, make):
    await _filled(store, make)
    words = ["how", "long", "must", "dough"] * 4
    assert len(await store.list_chats("me", query=f"  {' '.join(words)} ")) == 1
    assert await store.list_chats("me", query="d" * 200) == []


@pytest.mark.parametrize("indexed", [True, False])
async def test_the_line_that_was_found_is_told(new_store, make, monkeypatch, indexed):
    """U26: of the first message that holds all words; none where only the title does."""
    if not indexed:
        monkeypatch.setattr(search, "has_fts5", lambda connection: False)
    store = await new_store(url="sqlite://")
    await store.open()
    names = await _filled(store, make)
    ids = list(names)

    async def hits(query: str) -> dict[str, str]:
        return {names[each]: line for each, line in (await store.hits(ids, query)).items()}

    assert await hits("DOU res") == {"bread": "How long must dough rest?"}
    assert await hits("hour") == {"bread": "Überall: an HOUR; 100% sure."}
    assert await hits("寿司") == {"japan": "寿司"}
    assert await hits("baking") == {}
    assert await hits("  ") == {}
    assert await store.hits([], "dough") == {}


async def test_the_line_of_a_very_long_text(store, make):
    """U26: only so much of a text is looked through, so that no list waits for a huge one."""
    ids = {}
    for name, padding in (("short", 10), ("long", LOOKED_AT)):
        chat = make.chat()
        asked, answer = make.turn(chat, f"{'ü ' * padding}\nneedle {name}")
        await store.begin_turn([asked, answer], chat)
        ids[chat.id] = name
    found = await store.hits(list(ids), "needle")
    assert {ids[each]: line for each, line in found.items()} == {"short": "needle short"}
    assert len(await store.list_chats("me", query="needle")) == 2


async def test_a_text_of_very_many_lines_holds_no_loop(store, make):
    """U26: nor does one that is looked through sign by sign; the watchdog of all tests looks."""
    for text in ("a\n" * 49_000, "я" * 99_000):
        chat = make.chat()
        asked, answer = make.turn(chat, f"{text}\nneedle {' '.join('abcdefgh')}")
        await store.begin_turn([asked, answer], chat)
        found = await store.hits([chat.id], "needle a b c d e f g h")
        assert found == {chat.id: "needle a b c d e f g h"}


def test_lines_end_where_any_reader_ends_them():
    """U26."""
    for end in ("\n", "\r\n", "\x85", "\u2028"):
        assert line_with(f"é one{end}two words{end}words", ["words", "two"]) == "two words"


def test_a_line_is_shortened_around_what_was_found():
    """U26: the line with the most of the words, whatever their case and accents."""
    text = f"# Größe\n\n{'a ' * 50}the Überall größe {'b ' * 100}\nüber"
    line = line_with(text, ["uber", "GROSSE", "große"])
    assert line is not None
    assert "Überall größe" in line
    assert line.startswith("…")
    assert line.endswith("…")
    assert len(line) <= LONGEST + 2
    assert line_with("one\ntwo", ["TWO"]) == "two"
    assert line_with("one\ntwo", ["three"]) is None
    assert line_with("", ["x"]) is None
