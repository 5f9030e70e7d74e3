"""A real Redis that is ended, held, restarted, or refuses: nothing that hears it dies quietly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_stop_chat.bus import clients, line
from jupyter_stop_chat.ports.peers import Moved, NotReachedError, Question
from tests.aids.ports import listening
from tests.aids.redis_server import RedisServer
from tests.bus.others import Process
from tests.bus.test_redis_news import attend
from tests.conftest import PATIENCE


@pytest.fixture
def asked_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask soon whether what is silent is still there."""
    monkeypatch.setattr(line, "SILENT_SECONDS", 0.1)


@pytest.fixture
def soon(asked_soon: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notice soon that nothing comes any more."""
    monkeypatch.setattr(clients, "ANSWER_SECONDS", 0.4)


async def works(a: Process, b: Process) -> None:
    """Check that one reaches the other in every way."""
    assert await a.peers.ask(b.engine.name, Question("ada", "?"), PATIENCE)
    await a.peers.flag_stop("m")
    b.engine.flagged.clear()
    await b.peers.look(["m"])
    assert b.engine.flagged == ["m"]
    before = len(b.engine.news)
    a.peers.tell("ada", Moved("chat", None))
    await b.engine.until(lambda: len(b.engine.news) > before)


async def both(process: Any, **more: Any) -> tuple[Process, Process]:
    a, b = await process("a", **more), await process("b", **more)
    await attend(b, "ada")
    return a, b


async def test_redis_is_away_and_comes_back(
    process: Any, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = await both(process)
    missed = b.engine.missed
    redis.kill()
    await asyncio.gather(a.told(False), b.told(False))
    health = a.peers.health()
    assert health is not None
    assert (health["kind"], health["reachable"]) == ("redis", False)
    assert health["away_since"].endswith("Z")
    assert not a.peers.tells
    with pytest.raises(NotReachedError):
        await a.peers.ask("b", Question("ada", "x"), PATIENCE)
    assert len(a.beside.asked) == 1
    await a.peers.flag_stop("m")
    a.peers.tell("ada", Moved("chat", "lost"))
    redis.start()
    await asyncio.gather(a.told(False, True), b.told(False, True))
    assert a.peers.tells
    await b.engine.until(lambda: b.engine.missed > missed)
    assert b.engine.news == []
    await works(a, b)
    assert a.peers.health() == {"kind": "redis", "reachable": True, "away_since": None}
    ours = [each for each in caplog.records if each.name == "jupyter_stop_chat.bus.line"]
    assert sum("is of no use" in each.message for each in ours) == 2, "once for each"


async def test_redis_is_away_at_the_beginning(process: Any, redis: RedisServer) -> None:
    redis.kill()
    a = await process("a", up=False)
    await a.told(False)
    b = await process("b", up=False)
    b.peers.attend("ada", True)
    await b.told(False)
    redis.start()
    await asyncio.gather(a.told(False, True), b.told(False, True))
    await works(a, b)


async def test_connections_that_are_killed_are_made_anew(process: Any, redis: RedisServer) -> None:
    a, b = await both(process)
    for kind in ("pubsub", "normal", "pubsub"):
        missed = b.engine.missed, a.engine.missed
        redis.say("CLIENT", "KILL", "TYPE", kind)
        if kind == "pubsub":  # what is heard no more may have been missed
            await b.engine.until(lambda: b.engine.missed > missed[0])  # noqa: B023
            await a.engine.until(lambda: a.engine.missed > missed[1])  # noqa: B023
        await works(a, b)
    assert (a.reached, b.reached) == ([], []), "nobody is bothered"
    keeping = [each for each in asyncio.all_tasks() if each.get_name() == "stop-chat-redis"]
    assert [each.cancelling() for each in keeping] == [0, 0], "timeouts still end as timeouts"


@pytest.mark.usefixtures("soon")
async def test_a_redis_that_accepts_and_answers_nothing(process: Any, redis: RedisServer) -> None:
    a, b = await both(process)
    redis.pause()
    a.beside.reaches["b"] = b.beside.heard
    assert await a.peers.ask("b", Question("ada", "x"), PATIENCE) == "b answers x"
    await asyncio.gather(a.told(False), b.told(False))
    redis.go_on()
    await asyncio.gather(a.told(False, True), b.told(False, True))
    await works(a, b)
    questions = [each.frame for each in b.engine.questions]
    assert questions.count("x") == 1, "also where both ways brought it"


async def test_who_waits_for_an_answer_when_redis_ends_takes_the_slower_way(
    process: Any, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_stop_chat.bus.redis.HEDGE_SECONDS", 1000)
    a, b = await both(process)
    b.engine.free.clear()
    a.beside.reaches["b"] = b.beside.heard
    asking = asyncio.create_task(a.peers.ask("b", Question("ada", "x"), 1000))
    await b.engine.until(lambda: bool(b.engine.questions))
    redis.kill()
    await b.told(False)
    b.engine.free.set()
    assert await asyncio.wait_for(asking, PATIENCE) == "b answers x"
    assert len(b.engine.questions) == 1


@pytest.mark.parametrize("times", [4, pytest.param(20, marks=pytest.mark.stress)])
async def test_restarts_under_load(process: Any, redis: RedisServer, times: int) -> None:
    """No question gets the answer of another, and all work again after each."""
    a, b = await both(process)
    done = asyncio.Event()
    answered = 0

    async def load(sender: int) -> None:
        nonlocal answered
        at = 0
        while not done.is_set():
            at += 1
            a.peers.tell("ada", Moved(f"{sender}", f"{at}"))
            try:
                answer = await a.peers.ask("b", Question("ada", f"{sender}/{at}"), 2)
            except NotReachedError:
                await asyncio.sleep(0.01)
            else:
                answered += 1
                assert answer == f"b answers {sender}/{at}"

    loads = [asyncio.create_task(load(sender)) for sender in range(5)]
    try:
        for _ in range(times):
            await asyncio.to_thread(redis.restart)
            before = answered
            async with asyncio.timeout(PATIENCE):
                while answered < before + 20:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
    finally:
        done.set()
        await asyncio.gather(*loads)
    frames = [each.frame for each in b.engine.questions]
    assert len(frames) == len(set(frames)), "each was asked once at most"
    order = [
        [int(n.message_id) for _, n in b.engine.news if n.chat_id == str(s)] for s in range(5)
    ]
    assert all(each == sorted(set(each)) for each in order), "in order, and none twice"
    await works(a, b)


async def test_a_wrong_password(
    process: Any,
    new_redis: Callable[..., RedisServer],
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = new_redis("--requirepass", "canary-right")
    paused: list[float] = []
    go_on = asyncio.Event()

    async def sleep(seconds: float) -> None:
        paused.append(seconds)
        await go_on.wait()

    url = f"redis://:canary-wrong@127.0.0.1:{server.port}"
    a = await process("a", url=url, up=False, sleep=sleep)
    await a.told(False)
    assert "it refuses the name or the password" in caplog.text
    assert "canary" not in "".join(
        each.getMessage() for each in caplog.records if each.name.startswith("jupyter_stop_chat")
    )
    assert "canary" not in repr(vars(a.peers))
    assert "canary" not in str(a.peers.health())
    assert paused[0] > 5, "it is tried again slowly"
    right = f"redis://:canary-right@127.0.0.1:{server.port}"
    b = await process("b", url=right)
    server_says = b.peers._outgoing.ask("CONFIG", "SET", "requirepass", "canary-wrong")
    await server_says
    go_on.set()
    await a.told(False, True)


async def test_a_password_that_is_asked_for_and_not_given(
    process: Any, new_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture
) -> None:
    server = new_redis("--requirepass", "canary-right")
    a = await process("a", url=server.url, up=False)
    await a.told(False)
    assert "it refuses the name or the password" in caplog.text


async def test_a_user_who_may_not_do_what_is_needed(
    process: Any, new_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture
) -> None:
    server = new_redis()
    server.say("ACL", "SETUSER", "chat", "on", ">word", "~chat_stop:*", "+@all", "resetchannels")
    a = await process("a", url=f"redis://chat:word@127.0.0.1:{server.port}", up=False)
    await a.told(False)
    assert "may not do what is needed" in caplog.text


async def test_a_user_who_may_do_what_is_needed_and_no_more(
    process: Any, new_redis: Callable[..., RedisServer]
) -> None:
    """These are the rights that the documentation names."""
    server = new_redis()
    rights = ("~chat_stop:*", "&stop-chat:*", "+@pubsub", "+set", "+get", "+mget", "+del", "+ping")
    server.say("ACL", "SETUSER", "chat", "on", ">word", "-@all", *rights)
    a, b = await both(process, url=f"redis://chat:word@127.0.0.1:{server.port}")
    await works(a, b)


@pytest.mark.parametrize("right", ["+set", "+mget", "+del", "&stop-chat:*"])
async def test_a_user_who_lacks_one_right_is_told_of(
    process: Any, new_redis: Callable[..., RedisServer], right: str, caplog: Any
) -> None:
    """Also where that shows only later: nothing would say why others are reached late."""
    server = new_redis()
    rights = {"~chat_stop:*", "&stop-chat:*", "+@pubsub", "+set", "+mget", "+del", "+ping"}
    rights.remove(right)
    server.say("ACL", "SETUSER", "chat", "on", ">word", "resetchannels", "-@all", *sorted(rights))
    url = f"redis://chat:word@127.0.0.1:{server.port}"
    if right == "+set":
        a = await process("a", url=url)
        await a.peers.flag_stop("m")
    else:
        a = await process("a", url=url, up=False)
        a.peers.attend("ada", True)
    await a.told(False)
    assert "may not do what is needed" in caplog.text


async def test_as_many_clients_as_are_allowed(
    process: Any, new_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture
) -> None:
    server = new_redis("--maxclients", "4")
    await process("a", url=server.url)
    b = await process("b", url=server.url)
    c = await process("c", url=server.url, up=False)
    await c.told(False)
    assert "as many clients as it allows" in caplog.text
    await b.peers.close()
    await c.told(False, True)
    assert await c.peers.ask("a", Question("ada", "x"), PATIENCE) == "a answers x"


@pytest.mark.usefixtures("soon")
async def test_a_replica_takes_no_writes(
    process: Any, new_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody would hear what is published there, besides its own."""
    server = new_redis()
    a, b = await both(process, url=server.url)
    server.say("REPLICAOF", "127.0.0.1", "1")
    await asyncio.gather(a.told(False), b.told(False))
    assert "it is a replica" in caplog.text
    server.say("REPLICAOF", "NO", "ONE")
    await asyncio.gather(a.told(False, True), b.told(False, True))
    await works(a, b)


async def test_a_redis_that_is_out_of_memory_still_carries_questions(
    process: Any, new_redis: Callable[..., RedisServer]
) -> None:
    server = new_redis()
    a, b = await both(process, url=server.url)
    server.say("CONFIG", "SET", "maxmemory", "1")
    assert await a.peers.ask("b", Question("ada", "x"), PATIENCE) == "b answers x"
    await a.peers.flag_stop("m")
    assert a.beside.flags == {"m"}, "the flag is left by the slower way"
    await b.peers.look(["m"])
    a.peers.tell("ada", Moved("chat", None))
    await b.engine.until(lambda: bool(b.engine.news))
    assert (a.reached, b.reached) == ([], [])
    server.say("CONFIG", "SET", "maxmemory", "0")
    await works(a, b)


@pytest.mark.usefixtures("asked_soon")
async def test_a_redis_whose_disk_is_full_still_carries_questions(
    process: Any, new_redis: Callable[..., RedisServer]
) -> None:
    """It refuses writes then, and to be pinged; what is silent stays connected all the same."""
    server = new_redis("--save", "1 1")
    (server.folder / "dump.rdb").mkdir()
    a, b = await both(process, url=server.url)
    server.say("SET", "chat_stop:x", "1")
    server.say("BGSAVE")
    async with asyncio.timeout(PATIENCE):
        while not server.say("PING").startswith(b"-MISCONF"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    missed = a.engine.missed
    for _ in range(10):
        await asyncio.sleep(0.1)
        assert await a.peers.ask("b", Question("ada", "x"), PATIENCE) == "b answers x"
    assert (a.reached, b.reached, a.engine.missed) == ([], [], missed)


async def test_something_else_that_listens_there(process: Any) -> None:
    """It answers with no word of Redis."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)
        writer.close()

    async with listening(talk) as port:
        a = await process("a", url=f"redis://127.0.0.1:{port}", up=False)
        await a.told(False)
        await a.peers.close()


async def test_a_redis_that_breaks_off_again_and_again_is_told_of_once(
    process: Any, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It can be connected each time, so that it never counts as away."""
    go_on = asyncio.Event()
    tries = 0

    async def sleep(seconds: float) -> None:
        nonlocal tries
        tries += 1
        if tries > 2 * line.MANY_BREAKS:
            await go_on.wait()

    a = await process("a", up=False, sleep=sleep)
    for at in range(2 * line.MANY_BREAKS + 1):
        await a.engine.until(lambda: a.engine.missed > at)  # noqa: B023
        redis.say("CLIENT", "KILL", "TYPE", "pubsub")
    async with asyncio.timeout(PATIENCE):
        while tries <= 2 * line.MANY_BREAKS:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert caplog.text.count("breaks off again and again") == 1
    assert a.reached == []
    go_on.set()


async def test_a_package_that_cannot_be_loaded_is_told_of(
    process: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def load(name: str) -> None:
        raise AttributeError(name)

    monkeypatch.setattr("importlib.import_module", load)
    a = await process("a", up=False)
    await a.told(False)
    assert "the package redis cannot be used" in caplog.text
    with pytest.raises(NotReachedError):
        await a.peers.ask("b", Question("ada", "x"), PATIENCE)


async def test_a_host_that_does_not_exist(process: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    a = await process("a", url="redis://:canary@host.invalid:6379", up=False)
    await a.told(False)
    await a.peers.close()
    assert "canary" not in caplog.text


async def test_it_can_be_closed_at_any_time(process: Any, redis: RedisServer) -> None:
    a, b = await process("a", up=False), await process("b")
    await a.peers.close()
    redis.pause()
    await asyncio.wait_for(b.peers.close(), PATIENCE)
    redis.go_on()
    c = await process("c")
    redis.kill()
    await c.peers.close()
    await c.peers.close()
    redis.start()
    assert redis.say("CLIENT", "LIST").count(b"id=") == 1, "no connection is left"
