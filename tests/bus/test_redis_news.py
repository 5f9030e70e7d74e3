"""News that processes tell each other by a real Redis."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_stop_chat.bus import news as news_module
from jupyter_stop_chat.bus.messages import Gap, Telling, owner_channel, process_channel, to_owner
from jupyter_stop_chat.bus.news import Outbound
from jupyter_stop_chat.ports.peers import Announced, MoreText, Moved, Question
from tests.aids.redis_server import RedisServer
from tests.bus.others import Process
from tests.conftest import PATIENCE

#: Names that must neither be mixed up nor break anything.
NAMES = ("ada", "Ada", "a*a", "a:b", "ада", "a\nb", "[a-z]", "", " ", "x" * 5000)


async def attend(process: Process, *owners: str) -> None:
    """Attend owners, and return when their news are heard."""
    missed = process.engine.missed
    for owner in owners:
        process.peers.attend(owner, True)
    await process.engine.until(lambda: process.engine.missed >= missed + len(owners))


async def test_news_are_heard_in_their_order_by_who_attends(process: Any) -> None:
    a, b, c = [await process(each) for each in "abc"]
    await attend(b, "ada")
    await attend(c, "bob")
    told = [
        Announced('{"type":"chat"}'),
        MoreText("chat", "m", 0, "Once "),
        Moved("chat", "m"),
        MoreText("chat", "m", 5, "upon 🌍"),
        MoreText("chat", "n", 0, "Other"),
        Moved("chat", None),
    ]
    for each in told:
        a.peers.tell("ada", each)
    await b.engine.until(lambda: len(b.engine.news) == len(told))
    assert b.engine.news == [("ada", each) for each in told]
    assert c.engine.news == []


async def test_text_that_goes_on_is_told_as_one(process: Any) -> None:
    a, b = await process("a"), await process("b")
    await attend(b, "ada")
    for at, word in enumerate(("a🌍", "bcd", "efg")):
        a.peers.tell("ada", MoreText("chat", "m", 3 * at, word))
    await b.engine.until(lambda: bool(b.engine.news))
    assert b.engine.news == [("ada", MoreText("chat", "m", 0, "a🌍bcdefg"))]


async def test_names_of_owners_may_be_anything(process: Any) -> None:
    a, b = await process("a"), await process("b")
    await attend(b, *NAMES)
    for each in NAMES:
        a.peers.tell(each, Moved(each, None))
    await b.engine.until(lambda: len(b.engine.news) == len(NAMES))
    assert b.engine.news == [(each, Moved(each, None)) for each in NAMES]


async def test_who_does_not_share_the_chats_hears_nothing(process: Any) -> None:
    a, same = await process("a", scope="one"), await process("b", scope="one")
    other = await process("c", scope="another")
    await attend(same, "ada")
    await attend(other, "ada")
    a.peers.tell("ada", Moved("chat", None))
    await same.engine.until(lambda: bool(same.engine.news))
    assert await a.peers.ask("c", Question(None, "x"), PATIENCE) == "c answers x"
    assert other.engine.news == []


async def test_own_news_are_not_heard(process: Any) -> None:
    a, b = await process("a"), await process("b")
    await attend(a, "ada")
    await attend(b, "ada")
    a.peers.tell("ada", Moved("chat", "of a"))
    b.peers.tell("ada", Moved("chat", "of b"))
    await a.engine.until(lambda: bool(a.engine.news))
    await b.engine.until(lambda: bool(b.engine.news))
    assert a.engine.news == [("ada", Moved("chat", "of b"))]
    assert b.engine.news == [("ada", Moved("chat", "of a"))]


async def test_who_attends_no_more_hears_no_more(process: Any, redis: RedisServer) -> None:
    a, b = await process("a"), await process("b")
    await attend(b, "ada", "bob")
    b.peers.attend("ada", False)
    b.peers.attend("cid", True)
    b.peers.attend("cid", False)
    channel = owner_channel("", "ada").decode()
    async with asyncio.timeout(PATIENCE):
        while not redis.say("PUBSUB", "NUMSUB", channel).endswith(b":0\r\n"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    for owner in ("ada", "cid", "bob"):
        a.peers.tell(owner, Moved("chat", None))
    await b.engine.until(lambda: bool(b.engine.news))
    assert b.engine.news == [("bob", Moved("chat", None))]
    await attend(b, "ada")
    a.peers.tell("ada", Moved("chat", "again"))
    await b.engine.until(lambda: len(b.engine.news) == 2)


async def test_one_owner_in_and_out_at_once(process: Any) -> None:
    a, b = await process("a"), await process("b")
    for _ in range(51):
        b.peers.attend("ada", True)
        b.peers.attend("ada", False)
    await attend(b, "ada")
    a.peers.tell("ada", Moved("chat", None))
    await b.engine.until(lambda: bool(b.engine.news))


async def test_a_long_text_is_told(process: Any) -> None:
    a, b = await process("a"), await process("b")
    await attend(b, "ada")
    long = "🌍 text " * 150_000
    a.peers.tell("ada", MoreText("chat", "m", 0, long))
    await b.engine.until(lambda: bool(b.engine.news))
    assert b.engine.news == [("ada", MoreText("chat", "m", 0, long))]
    frame = "x" * 1_000_000
    assert await a.peers.ask("b", Question("ada", frame), PATIENCE) == f"b answers {frame}"


async def test_what_is_too_long_is_left_out_and_that_is_told(process: Any) -> None:
    a, b = await process("a"), await process("b")
    await attend(b, "ada")
    missed = b.engine.missed
    a.peers.tell("ada", Announced("x" * 5_000_000))
    await b.engine.until(lambda: b.engine.missed > missed)
    a.peers.tell("ada", Moved("chat", None))
    await b.engine.until(lambda: bool(b.engine.news))
    assert b.engine.news == [("ada", Moved("chat", None))]


async def test_what_does_not_fit_any_more_is_left_out_and_that_is_told(
    process: Any, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news_module, "MOST_NEWS", 100)
    a, b = await process("a"), await process("b")
    await attend(b, "ada")
    missed = b.engine.missed
    for at in range(1000):
        a.peers.tell("ada", MoreText("chat", "m", 2 * at, "x"))
    await b.engine.until(lambda: b.engine.missed > missed)
    assert b.engine.news == [("ada", MoreText("chat", "m", 2 * at, "x")) for at in range(100)]


async def test_a_flood_is_heard_to_its_end(process: Any) -> None:
    a, b = await process("a"), await process("b")
    await attend(b, "ada")
    for at in range(200):
        for message in range(40):
            a.peers.tell("ada", MoreText("chat", f"m{message}", 100 * at, "x" * 100))
        await asyncio.sleep(0)
    a.peers.tell("ada", Moved("chat", "the end"))
    await b.engine.until(lambda: ("ada", Moved("chat", "the end")) in b.engine.news)
    heard = {f"m{message}": 0 for message in range(40)}
    for _, each in b.engine.news[:-1]:
        assert isinstance(each, MoreText)
        assert each.offset == heard[each.message_id]
        heard[each.message_id] += len(each.text)
    assert set(heard.values()) == {20_000}


async def test_what_is_malformed_is_left_out(
    process: Any, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = await process("a"), await process("b")
    await attend(b, "ada")
    own, ada = process_channel("b").decode(), owner_channel("", "ada").decode()
    wrong = [
        "",
        "no JSON",
        "{",
        "[]",
        "null",
        '{"kind":"ask"}',
        '{"kind":"unheard","sender":"x"}',
        '{"kind":"answer","sender":"x","id":5,"answer":"y"}',
        '{"kind":"answer","sender":"x","id":"nobody waits","answer":"y"}',
        '{"kind":"news","sender":"x","news":[{"kind":"text","offset":-1}]}',
        '{"kind":"news","sender":"x","news":[{"kind":"later"}]}',
        "[" * 100_000,
        "\x00\x01" * 1000,
    ]
    for each in wrong:
        redis.say("PUBLISH", own, each)
        redis.say("PUBLISH", ada, each)
    assert await a.peers.ask("b", Question("ada", "x"), PATIENCE) == "b answers x"
    a.peers.tell("ada", Moved("chat", None))
    await b.engine.until(lambda: bool(b.engine.news))
    assert b.engine.news == [("ada", Moved("chat", None))]
    assert caplog.text.count("is no message of another server") == 1


async def test_what_a_later_version_says_besides_is_left_out(
    process: Any, redis: RedisServer
) -> None:
    b = await process("b")
    await attend(b, "ada")
    item = '{"kind":"moved","chat_id":"c","message_id":null,"more":2}'
    said = f'{{"more":1,"sender":"x","kind":"news","news":[{item}]}}'
    redis.say("PUBLISH", owner_channel("", "ada").decode(), said)
    await b.engine.until(lambda: bool(b.engine.news))
    assert b.engine.news == [("ada", Moved("c", None))]


async def test_an_engine_that_fails_ends_nothing(
    process: Any, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = await process("a"), await process("b")
    await attend(b, "ada")
    heard, b.engine.hear = b.engine.hear, None
    a.peers.tell("ada", Moved("chat", "first"))
    assert await a.peers.ask("b", Question("ada", "x"), PATIENCE) == "b answers x"
    b.engine.hear = heard
    a.peers.tell("ada", Moved("chat", "second"))
    await b.engine.until(lambda: bool(b.engine.news))
    assert "could not be taken in" in caplog.text


class TestOutbound:
    """What waits to be told."""

    def make(self, ours: bool = False) -> Outbound:
        self.now = 100.0
        return Outbound("us", str.encode, lambda channel: ours, lambda: self.now)

    @pytest.mark.parametrize("ours", [False, True])
    def test_an_owner_whom_nobody_hears_is_told_of_no_text_for_a_second(self, ours: bool) -> None:
        news = self.make(ours)
        assert news.add("ada", MoreText("c", "m", 0, "x"))
        (sent,) = news.take()
        sent.then(int(ours))
        assert not news.add("ada", MoreText("c", "m", 1, "y"))
        assert news.add("bob", MoreText("c", "m", 1, "y")), "another owner is"
        assert news.add("ada", Moved("c", "m")), "of all else"
        for sent in news.take():
            sent.then(int(ours))
        self.now += 1.1
        assert news.add("ada", MoreText("c", "m", 2, "z"))
        (sent,) = news.take()
        sent.then(int(ours) + 1)
        assert news.add("ada", MoreText("c", "m", 3, "z"))

    def test_where_receivers_are_not_counted_all_is_told(self) -> None:
        news = self.make()
        news.counts = False
        news.add("ada", MoreText("c", "m", 0, "x"))
        news.take()[0].then(0)
        assert news.add("ada", MoreText("c", "m", 1, "x"))

    def test_what_could_not_be_sent_is_a_gap(self) -> None:
        news = self.make()
        news.add("ada", Moved("c", "m"))
        news.take()[0].then(ConnectionError())
        assert news.is_waiting
        (sent,) = news.take()
        assert to_owner.validate_json(sent.data) == Telling(sender="us", news=(Gap(),))
        sent.then(1)
        assert not news.is_waiting

    def test_what_waits_at_a_loss_is_a_gap(self) -> None:
        news = self.make()
        news.add("ada", Moved("c", "m"))
        news.add("bob", Moved("c", "m"))
        news.lose()
        assert [each.channel for each in news.take()] == [b"ada", b"bob"]

    def test_half_a_pair_of_surrogates_is_a_gap(self, caplog: pytest.LogCaptureFixture) -> None:
        news = self.make()
        news.add("ada", MoreText("c", "m", 0, "\ud83c"))
        (sent,) = news.take()
        assert to_owner.validate_json(sent.data) == Telling(sender="us", news=(Gap(),))

    def test_so_much_is_sent_at_once_and_no_more(self) -> None:
        news = self.make()
        for at in range(10):
            news.add("ada", MoreText("c", "m", at * 100_000, "x" * 100_000))
        parts = []
        while news.is_waiting:
            parts.append(len(news.take()[0].data))
        assert len(parts) == 4
        assert sum(parts) >= 1_000_000

    def test_of_what_has_no_text_so_many_are_sent_at_once_and_no_more(self) -> None:
        """To write ten thousand of them holds the loop for long."""
        news = self.make()
        for at in range(2500):
            news.add("ada", Moved("c", str(at)))
        told: list[Any] = []
        while news.is_waiting:
            (sent,) = news.take()
            told.append(to_owner.validate_json(sent.data).news)
        assert max(map(len, told)) <= 1000
        order = [each.message_id for part in told for each in part]
        assert order == [str(at) for at in range(2500)]
