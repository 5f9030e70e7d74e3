"""Keys that people give: kept for their owner alone, out of everybody's sight."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from jupyter_stop_chat.models import key_file as key_file_module
from jupyter_stop_chat.models.key_file import Entry, KeyFile, real_keychain
from jupyter_stop_chat.models.keys import Given, Keys
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.pasted import meant_address, meant_key

CANARY = "sk-canary-0123456789"


class Chain:
    """A keychain in memory."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


class Locked(Chain):
    """A keychain that nobody has opened."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"locked, and it may not say {password}")


class Forgets(Chain):
    """What takes everything, and keep nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


def file_without_chain(path: Path) -> KeyFile:
    return KeyFile(path, lambda: None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stop-chat" / "keys.json"


def test_without_a_keychain_a_key_is_in_a_file_that_nobody_else_can_read(path: Path) -> None:
    file_without_chain(path).change("server", "openai", Entry(CANARY))
    assert file_without_chain(path).read()["server", "openai"].key == CANARY
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    left = {each.name for each in path.parent.iterdir()}
    assert left == {"keys.json", ".keys.json.lock"}, "no draft is left"


def test_it_is_never_readable_not_even_while_it_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    real = json.dump

    def watch(content: Any, file: Any, **more: Any) -> None:
        real(content, file, **more)
        seen.extend(stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir())

    monkeypatch.setattr(key_file_module.json, "dump", watch)
    before = os.umask(0)
    try:
        file_without_chain(path).change("server", "openai", Entry(CANARY))
        file_without_chain(path).change("server", "openai", Entry(CANARY + "2"))
    finally:
        os.umask(before)
    assert set(seen) == {0o600}


def test_with_a_keychain_the_file_only_says_that_there_is_one(path: Path) -> None:
    chain = Chain()
    KeyFile(path, lambda: chain).change("server", "openai", Entry(CANARY))
    assert CANARY not in path.read_text()
    assert list(chain.held.values()) == [CANARY]
    # Another start, and a change of something else.
    again = KeyFile(path, lambda: chain)
    again.change("server", "openai_compatible", Entry(None, "http://127.0.0.1:1/v1"))
    read = again.read()
    assert read["server", "openai"].key == CANARY
    assert read["server", "openai_compatible"].base_url == "http://127.0.0.1:1/v1"
    again.change("server", "openai", None)
    assert chain.held == {}
    assert ("server", "openai") not in again.read()


@pytest.mark.parametrize("chain", [Locked(), Forgets()], ids=["locked", "forgets"])
def test_a_keychain_that_takes_no_key_is_not_relied_on(
    path: Path, chain: Chain, caplog: Any
) -> None:
    caplog.set_level("DEBUG")
    KeyFile(path, lambda: chain).change("server", "openai", Entry(CANARY))
    assert KeyFile(path, lambda: chain).read()["server", "openai"].key == CANARY
    assert CANARY not in caplog.text


def test_a_keychain_that_never_answers_is_not_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that asks for a password where nobody sits."""
    monkeypatch.setattr(key_file_module, "PATIENCE_S", 0.05)
    end = threading.Event()

    class Asks(Chain):
        def set_password(self, service: str, username: str, password: str) -> None:
            end.wait(60)

    KeyFile(path, Asks).change("server", "openai", Entry(CANARY))
    end.set()
    assert file_without_chain(path).read()["server", "openai"].key == CANARY


def test_a_keychain_that_hangs_is_asked_once_for_all_keys(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R4: while it has not answered nobody waits for it again; once it has, it is asked anew."""
    end = threading.Event()
    asked: list[str] = []

    class Asks(Chain):
        hangs = False

        def get_password(self, service: str, username: str) -> str | None:
            if self.hangs:
                asked.append(username)
                end.wait(60)
            return super().get_password(service, username)

    chain = Asks()
    file = KeyFile(path, lambda: chain)
    for name in ("openai", "anthropic", "groq"):
        file.change("server", name, Entry(CANARY))
    chain.hangs = True
    monkeypatch.setattr(key_file_module, "PATIENCE_S", 0.05)
    assert [each.locked for each in file.read().values()] == [True] * 3
    assert [each.locked for each in file.read().values()] == [True] * 3
    assert len(asked) == 1
    chain.hangs = False
    end.set()
    monkeypatch.setattr(key_file_module, "PATIENCE_S", 10.0)
    assert file._asking is not None
    file._asking.join(10)
    assert {each.key for each in file.read().values()} == {CANARY}


def test_a_keychain_that_is_locked_later_keeps_what_it_holds(path: Path) -> None:
    """Another key that is given meanwhile must not make it forgotten."""
    chain = Chain()
    KeyFile(path, lambda: chain).change("server", "openai", Entry(CANARY))
    without = file_without_chain(path)
    assert without.read()["server", "openai"].key is None
    without.change("server", "anthropic", Entry("another"))
    assert KeyFile(path, lambda: chain).read()["server", "openai"].key == CANARY


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"version": 2, "keys": []}',
        '{"version": 1}',
        '{"version": 1, "keys": 7}',
        '{"version": 1, "keys": [7, {}, {"owner": 1, "provider": "openai", "key": "k"}]}',
    ],
)
def test_a_file_that_makes_no_sense_counts_as_empty(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    file = file_without_chain(path)
    assert file.read() == {}
    file.change("server", "openai", Entry(CANARY))
    assert file.read()["server", "openai"].key == CANARY


def test_an_entry_has_no_print_out() -> None:
    assert CANARY not in repr(Entry(CANARY))


def test_a_chain_that_keeps_keys_in_the_open_is_no_keychain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import keyring

    def chosen(module: str, priority: float = 5) -> Any:
        return type("Backend", (), {"__module__": module, "priority": priority})()

    for backend in (
        chosen("keyring.backends.fail"),
        chosen("keyring.backends.null"),
        chosen("keyrings.alt.file"),
        chosen("keyring.backends.SecretService", 0.5),
    ):
        monkeypatch.setattr(keyring, "get_keyring", lambda backend=backend: backend)
        assert real_keychain() is None
    good = chosen("keyring.backends.macOS")
    several = type("Several", (), {"backends": [chosen("keyrings.alt.file"), good]})()
    for backend in (good, several):
        monkeypatch.setattr(keyring, "get_keyring", lambda backend=backend: backend)
        assert real_keychain() is good


class Heard(list[tuple[str, str]]):
    def __call__(self, owner: str, provider: str) -> None:
        self.append((owner, provider))


async def test_a_key_is_its_owners_alone(path: Path) -> None:
    """J6."""
    heard = Heard()
    keys = Keys(file_without_chain(path), heard)
    await keys.give_key("user:anna", "openai", CANARY)
    assert keys.given("user:ben", "openai").key is None
    assert keys.given("user:anna", "anthropic").key is None
    given = keys.given("user:anna", "openai").key
    assert given is not None
    assert given.get_secret_value() == CANARY
    assert CANARY not in repr(keys.given("user:anna", "openai")) + repr(vars(keys))
    await keys.forget("user:ben", "openai")
    assert keys.given("user:anna", "openai").key is not None
    await keys.give_key("user:anna", "openai", CANARY)
    assert heard == [("user:anna", "openai")], "the same key again changes nothing"
    await keys.forget("user:anna", "openai")
    assert keys.given("user:anna", "openai").key is None
    assert heard == [("user:anna", "openai")] * 2


async def test_what_another_server_changed_is_read_again(path: Path) -> None:
    """Two servers of one person share the folder."""
    heard = Heard()
    one, other = Keys(file_without_chain(path), heard), Keys(file_without_chain(path), Heard())
    await one.refresh()
    await other.give_key("server", "openai", CANARY)
    await asyncio.gather(one.refresh(), one.refresh())
    given = one.given("server", "openai").key
    assert given is not None
    assert heard == [("server", "openai")]
    # A key that is given here keeps what was given there.
    await one.give_key("server", "anthropic", "another-key")
    await other.refresh()
    assert other.given("server", "openai").key is not None
    assert other.given("server", "anthropic").key is not None


async def test_many_changes_at_once_lose_nothing(path: Path) -> None:
    keys = Keys(file_without_chain(path), Heard())
    await asyncio.gather(*(keys.give_key(f"user:{n}", "openai", f"key-{n}") for n in range(20)))
    held = await asyncio.to_thread(file_without_chain(path).read)
    assert {held[f"user:{n}", "openai"].key for n in range(20)} == {f"key-{n}" for n in range(20)}


@pytest.mark.parametrize("key", ["with a blank", "with\nbreak", "ключ", "", "x" * 2001, "\x7f"])
async def test_what_cannot_be_a_key_is_refused(path: Path, key: str) -> None:
    keys = Keys(file_without_chain(path), Heard())
    with pytest.raises(StopChatError) as caught:
        await keys.give_key("server", "openai", key)
    assert caught.value.code is ErrorCode.INVALID_KEY
    assert keys.given("server", "openai").key is None


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Its path is not: only the log may know it."""
    (tmp_path / "taken").write_text("")
    keys = Keys(file_without_chain(tmp_path / "taken" / "keys.json"), Heard())
    with pytest.raises(StopChatError) as caught:
        await keys.give_key("server", "openai", CANARY)
    assert caught.value.code is ErrorCode.INTERNAL
    assert CANARY not in str(caught.value)
    assert keys.given("server", "openai").key is None


@pytest.mark.parametrize(
    "address",
    [
        "example.com:8000",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://",
        "http://me:secret@127.0.0.1/v1",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://[::1",
        "http://127.0.0.1/v1?key=x",
        "http://127.0.0.1/v1#x",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nX: y",
        "http://exämple.test/",
        "http://" + "x" * 500,
    ],
)
async def test_what_is_no_address_is_refused(path: Path, address: str) -> None:
    keys = Keys(file_without_chain(path), Heard())
    with pytest.raises(StopChatError) as caught:
        await keys.give_address("server", "openai_compatible", address)
    assert caught.value.code is ErrorCode.INVALID_ADDRESS


async def test_a_key_goes_with_its_address(path: Path) -> None:
    """A key for one server is not sent to another."""
    keys = Keys(file_without_chain(path), Heard())
    for address in ("http://127.0.0.1:8000/v1", "https://x.example", "http://[::1]:65535/v1/"):
        await keys.give_address("server", "openai_compatible", address)
        assert keys.given("server", "openai_compatible") == Given(None, address)
        await keys.give_key("server", "openai_compatible", CANARY)
        await keys.give_address("server", "openai_compatible", address)
        assert keys.given("server", "openai_compatible") == Given(SecretStr(CANARY), address)
    await keys.forget_key("server", "openai_compatible")
    assert keys.given("server", "openai_compatible") == Given(None, address)
    await keys.forget("server", "openai_compatible")
    assert keys.given("server", "openai_compatible") == Given()


@pytest.mark.parametrize(
    "pasted",
    [
        f"{CANARY}\n",
        f"  {CANARY}\r\n\r\n",
        f"\ufeff{CANARY}\u200b",
        f'"{CANARY}"',
        f"“{CANARY}”",
        f"« {CANARY} »",
        f"Bearer {CANARY}",
        f"Authorization: Bearer {CANARY}",
        f"OPENAI_API_KEY={CANARY}",
        f"export OPENAI_API_KEY='{CANARY}'\n",
        f'$env:OPENAI_API_KEY = "{CANARY}";',
        CANARY,
    ],
)
def test_a_key_is_what_the_person_meant(pasted: str) -> None:
    """T15."""
    assert meant_key(pasted) == CANARY


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        (" http://127.0.0.1:1/v1\n", "http://127.0.0.1:1/v1"),
        ("http://127.0.0.1:1/v1/chat/completions", "http://127.0.0.1:1/v1"),
        ("https://x.example/v1/models/", "https://x.example/v1"),
        ("localhost:1234/v1", "http://localhost:1234/v1"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("HTTP://x.example/v1", "http://x.example/v1"),
        ("“http://x.example/v1”", "http://x.example/v1"),
        ("http://[::1]:65535/v1/", "http://[::1]:65535/v1/"),
    ],
)
def test_an_address_is_what_the_person_meant(pasted: str, meant: str) -> None:
    """T9."""
    assert meant_address(pasted) == meant
