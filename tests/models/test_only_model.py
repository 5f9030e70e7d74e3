"""The one model of a server: it is chosen by itself where nothing else was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers import local
from jupyter_stop_chat.models import BUILT_IN, Models, Rules, choices, listing
from jupyter_stop_chat.models.key_file import KeyFile
from tests.providers import OpenAIProvider
from tests.providers.answers import Answers

COMPATIBLE = "openai_compatible"
ONLY = f"{COMPATIBLE}:llama"
Make = Callable[..., Models]

pytestmark = pytest.mark.usefixtures("no_keys")


@pytest.fixture
def make(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Make]:
    made: list[Models] = []

    def build(parameters: Any = None, **rules: Any) -> Models:
        file = KeyFile(tmp_path / "keys.json", lambda: None)
        made.append(
            Models(tmp_path, parameters=parameters, key_file=file, rules=lambda: Rules(**rules))
        )
        return made[-1]

    yield build
    for each in made:
        jp_asyncio_loop.run_until_complete(each.close())


def serving(*names: str) -> Answers:
    """Serve a list of models."""
    return Answers(lambda sent: (200, {"data": [{"id": name} for name in names]}))


class Late(Answers):
    """A server that lists one model, once it may."""

    def __init__(self, name: str) -> None:
        super().__init__(lambda sent: (200, {"data": [{"id": name}]}))
        self.asked, self.may = asyncio.Event(), asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, later."""
        self.asked.set()
        await self.may.wait()
        await super().serve(reader, writer)


async def test_the_only_model_of_a_server_that_is_named_is_chosen(make: Make) -> None:
    """U8: it was asked for by the address; the choice is kept, as any other."""
    async with serving("llama", "text-embedding-nomic") as server:
        models = make()
        await models.give_address("server", COMPATIBLE, server.base_url)
        assert (await models.listed()).chosen == ONLY
        assert models.choose(None, "server") == ONLY
    kept = make()
    await kept.refresh()
    assert kept.default_model() == ONLY


async def test_it_is_chosen_before_a_local_model_that_nobody_chose(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U8: to name a server is to ask for it."""
    monkeypatch.setattr(local, "unavailable", lambda *_: None)
    async with serving("llama") as server:
        models = make()
        await models.refresh()
        assert models.default_model() == BUILT_IN
        await models.give_address("server", COMPATIBLE, server.base_url)
        assert models.default_model() == ONLY


async def test_a_server_that_lists_for_a_key_alone(make: Make) -> None:
    """U8: its model is chosen once the key is there."""
    async with OpenAIProvider() as provider:
        provider.key = "sk-right"
        models = make()
        await models.give_address("server", COMPATIBLE, provider.base_url)
        assert models.default_model() == BUILT_IN
        await models.give_key("server", COMPATIBLE, "sk-right")
        assert models.default_model() == f"{COMPATIBLE}:gpt-test"


async def test_what_was_chosen_and_works_stays(make: Make) -> None:
    """U8: but the model of another address does not, nor is one of several guessed."""
    models = make()
    await models.set_choice("server", "ollama:llama3.2")
    async with serving("llama") as server:
        await models.give_address("server", COMPATIBLE, server.base_url)
        assert models.default_model() == "ollama:llama3.2"
        await models.set_choice("server", f"{COMPATIBLE}:of-another-address")
        await models.give_address("server", COMPATIBLE, server.base_url)
        assert models.default_model() == ONLY
    await models.set_choice("server", None)
    async with serving("llama", "qwen") as server:
        await models.give_address("server", COMPATIBLE, server.base_url)
        assert models.default_model() == BUILT_IN


async def test_what_may_not_be_chosen_is_not(make: Make) -> None:
    """U8: a list of models, and a lock."""
    async with serving("llama") as server:
        for rules in ({"allowed": ("openai:*", "local:*")}, {"locked": True}):
            models = make(**rules)
            await models.give_address("server", COMPATIBLE, server.base_url)
            assert (await models.listed()).chosen is None
            assert models.default_model() != ONLY


async def test_a_choice_that_cannot_be_kept_takes_the_address_from_nobody(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U8."""

    def full(*_: object) -> None:
        raise OSError("full")

    monkeypatch.setattr(choices, "write_anew", full)
    async with serving("llama") as server:
        models = make()
        await models.give_address("server", COMPATIBLE, server.base_url)
        assert ONLY in [each.id for each in (await models.listed()).models]


async def test_the_only_model_that_is_set_up_is_the_default(make: Make) -> None:
    """U8: a server of the settings, once it was asked; the local one goes before it."""
    async with serving("llama") as server:
        models = make({COMPATIBLE: {"base_url": server.base_url}})
        assert models.default_model() == BUILT_IN, "which is not installed"
        listed = await models.listed()
        assert listed.default_model == ONLY
        assert listed.chosen is None
        assert models.choose(None, "server") == ONLY


async def test_a_server_that_answers_late(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """U8: who names it waits no longer; its model is chosen when the list is asked for again."""
    monkeypatch.setattr(listing, "PATIENCE_S", 0.01)
    async with Late("llama") as server:
        models = make()
        await models.give_address("server", COMPATIBLE, server.base_url)
        assert (await models.listed(patience=0.0)).chosen is None
        server.may.set()
        assert (await models.listed(patience=60.0)).chosen == ONLY


async def _give(models: Models, address: str) -> None:
    await models.give_address("server", COMPATIBLE, address)


async def _take_back(models: Models, _: str) -> None:
    await models.take_back("server", COMPATIBLE, address=True)


async def _choose(models: Models, _: str) -> None:
    await models.set_choice("server", f"{COMPATIBLE}:typed")


@pytest.mark.parametrize(
    ("meanwhile", "chosen"),
    [(_give, ONLY), (_take_back, None), (_choose, f"{COMPATIBLE}:typed")],
)
async def test_what_is_done_while_a_server_is_asked_is_newer(
    make: Make, meanwhile: Callable[[Models, str], Awaitable[None]], chosen: str | None
) -> None:
    """U8: the model of an address that was replaced or removed is not chosen, nor another one."""
    async with Late("of-the-first") as first, serving("llama") as second:
        models = make()
        giving = asyncio.create_task(_give(models, first.base_url))
        await first.asked.wait()
        await meanwhile(models, second.base_url)
        first.may.set()
        await giving
        assert (await models.listed(patience=60.0)).chosen == chosen


async def test_what_another_process_has_chosen_stays(make: Make) -> None:
    """U8: this one may not have looked yet."""
    async with serving("llama") as server:
        models, other = make(), make()
        await other.set_choice("server", "ollama:llama3.2")
        await models.give_address("server", COMPATIBLE, server.base_url)
        assert models.default_model() == "ollama:llama3.2"


async def test_what_is_chosen_while_a_key_is_kept_stays(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U8: it is newer than the model that worked before."""
    models = make()
    await models.set_choice("server", "ollama:first")
    give_key = models.keys.give_key

    async def meanwhile(*given: str) -> None:
        await give_key(*given)
        await models.set_choice("server", "ollama:second")

    monkeypatch.setattr(models.keys, "give_key", meanwhile)
    async with serving("llama") as server:
        await models.give_address("server", COMPATIBLE, server.base_url)
        await models.give_key("server", COMPATIBLE, "sk-one")
    assert models.default_model() == "ollama:second"


async def test_what_may_not_be_used_any_more_holds_nothing_up(make: Make) -> None:
    """U8: what was chosen before the administrator left it out."""
    await make().set_choice("server", "ollama:llama3.2")
    async with serving("llama") as server:
        models = make(allowed=(f"{COMPATIBLE}:*",))
        await models.refresh()
        await models.give_address("server", COMPATIBLE, server.base_url)
        assert models.default_model() == ONLY


async def test_the_model_of_a_server_that_is_set_up_is_not_taken_for_that_of_the_one_named(
    make: Make,
) -> None:
    """U8: the administrator's address goes before a person's."""
    async with serving("llama") as server:
        models = make({COMPATIBLE: {"base_url": server.base_url}})
        await models.give_address("server", COMPATIBLE, "http://127.0.0.1:1/v1")
        assert (await models.listed()).chosen is None


async def test_two_owners_name_the_same_server(make: Make) -> None:
    """U8: each has a choice of their own."""
    async with serving("llama") as server:
        models = make(addresses=True)
        await models.set_choice("ben", "ollama:llama3.2")
        for owner in ("ada", "ben"):
            await models.give_address(owner, COMPATIBLE, server.base_url)
        assert models.default_model("ada") == ONLY
        assert models.default_model("ben") == "ollama:llama3.2"
        assert models.default_model("eve") == BUILT_IN


async def test_thousands_of_models_hold_nobody_up(make: Make) -> None:
    """U8: to look through their names takes long, and another thread may."""
    async with serving(*(f"{at}{'x' * 380}-embed" for at in range(5000))) as server:
        models = make()
        await models.give_address("server", COMPATIBLE, server.base_url)
        assert models.default_model() == BUILT_IN


async def test_a_server_that_is_removed_takes_its_model_along(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U8: what worked before it was named is used again; another's choice stays."""
    monkeypatch.setattr(local, "unavailable", lambda *_: None)
    async with serving("llama") as server:
        models = make()
        await models.give_address("server", COMPATIBLE, server.base_url)
        await models.take_back("server", COMPATIBLE)
        assert models.default_model() == ONLY, "which is asked without a key"
        await models.take_back("server", COMPATIBLE, address=True)
        assert models.default_model() == BUILT_IN
        await models.give_address("server", COMPATIBLE, server.base_url)
        await models.set_choice("server", "ollama:llama3.2")
        await models.take_back("server", COMPATIBLE, address=True)
        assert models.default_model() == "ollama:llama3.2"
        models = make({COMPATIBLE: {"base_url": server.base_url}})
        await models.set_choice("server", ONLY)
        await models.take_back("server", COMPATIBLE, address=True)
        assert models.default_model() == ONLY, "which is the administrator's"


async def test_what_has_no_name_that_is_seen_is_no_model(make: Make) -> None:
    """U8: a server may say anything; nothing that looks like nothing is in use."""
    async with serving(" ", "", "\u00a0", "a\nb", "x" * 401) as server:
        models = make()
        await models.give_address("server", COMPATIBLE, server.base_url)
        assert models.default_model() == BUILT_IN
        listed = await models.listed()
        assert [each.id for each in listed.models if each.provider == COMPATIBLE] == []
