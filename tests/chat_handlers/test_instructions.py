"""Instructions reach the provider as they are, where its models take such."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from langchain.agents import create_agent

from jupyter_stop_chat.chat_handlers.langchain import asking
from jupyter_stop_chat.chat_handlers.langchain import handler as langchain
from jupyter_stop_chat.chat_handlers.langchain.asking import refuses_role
from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.langchain.trimming import fitted, size_of
from jupyter_stop_chat.local_model.history import shortened
from jupyter_stop_chat.ports.handler import HistoryCut, TurnMessage
from tests.aids.turns import Reading, closing
from tests.providers import OpenAIProvider, Provider, Request, Script
from tests.providers.chat_models import make_model

SYSTEM = 'Answer in one word.\n\n\u00dcberall: \U0001f600 "quoted" \\ and a tab\t.'


def system_of(request: Request) -> list[str]:
    """Return what a provider was told before the chat, by whichever field."""
    body = request.body
    found = [body[name] for name in ("system", "instructions") if body.get(name)]
    told = body.get("messages") or body.get("input") or []
    found += [each["content"] for each in told if each["role"] in {"system", "developer"}]
    texts = []
    for each in found:
        texts.append(each if isinstance(each, str) else "".join(part["text"] for part in each))
    return texts


async def test_the_provider_gets_them_byte_for_byte(
    handler: LangChainHandler, provider: Provider
) -> None:
    await Reading(handler, "Hi", system=SYSTEM).task
    await Reading(handler, "Hi").task
    assert [system_of(request) for request in provider.requests] == [[SYSTEM], []]
    assert handler.takes_instructions == "all"


async def test_they_go_before_a_partial_reply_as_well(
    handler: LangChainHandler, provider: Provider
) -> None:
    await Reading(handler, "Hi", system=SYSTEM, prefix="One, two").task
    assert system_of(provider.requests[0]) == [SYSTEM]


async def test_an_agent_gets_them_beside_its_own(kind: str, provider: Provider) -> None:
    model = make_model(kind, provider.base_url)
    agent = create_agent(model, [], system_prompt="You are a parrot.")
    async with closing(LangChainHandler(agent)) as handler:
        await Reading(handler, "Hi", system=SYSTEM).task
        assert handler.takes_instructions == "given"
    told = "\n".join(system_of(provider.requests[0]))
    assert SYSTEM in told
    assert "You are a parrot." in told


async def test_a_model_without_the_role_gets_them_with_the_first_prompt() -> None:
    said = "Developer instruction is not enabled for models/gemma-3"
    async with OpenAIProvider() as provider:
        model = make_model("openai", provider.base_url)
        handler = LangChainHandler(model)
        refused = langchain.refuses_role
        assert refused(ValueError(said))
        provider.scripts.append(Script(trouble="bad_request"))
        async with closing(handler):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(langchain, "refuses_role", lambda error: True)
                await Reading(handler, ["Hi", "Yes", "And?"], system=SYSTEM).task
            await Reading(handler, "Hi", system=SYSTEM).task
        told = [request.body["messages"] for request in provider.requests]
    assert [system_of(each) for each in provider.requests] == [[SYSTEM], [], []]
    assert [each["content"] for each in told[1]] == [f"{SYSTEM}\n\nHi", "Yes", "And?"]
    assert [each["content"] for each in told[2]] == [f"{SYSTEM}\n\nHi"]


@pytest.mark.parametrize("what", ["role", "thinking", "limit"])
async def test_two_replies_that_are_refused_the_same_both_ask_again(what: str) -> None:
    """The refusal of the one is no reason to fail the other."""
    more: dict[str, Any] = {"reasoning_effort": "low"} if what == "thinking" else {}
    turn: dict[str, Any] = {"system": SYSTEM} if what == "role" else {}
    if what == "limit":
        turn["parameters"] = {"max_tokens": 24}
    async with OpenAIProvider() as provider:
        scripts = [Script(stall="before_headers", trouble="bad_request") for _ in range(2)]
        provider.scripts += scripts
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(langchain, "refuses_role", lambda error: True)
            patch.setattr(asking, "_CANNOT_THINK", re.compile("Unknown parameter"))
            handler = LangChainHandler(make_model("openai", provider.base_url, **more))
            async with closing(handler):
                both = [Reading(handler, "Hi", **turn) for _ in range(2)]
                for count in (1, 2):
                    await provider.next_request(count)
                for script in scripts:
                    script.resume.set()
                await asyncio.gather(*(each.task for each in both))
        assert len(provider.requests) == 4


@pytest.mark.parametrize(
    ("said", "refuses"),
    [
        ("Developer instruction is not enabled for models/gemma-3-4b-it", True),
        ("Unsupported value: 'messages[0].role' does not support 'system' with this model.", True),
        ("System role not supported", True),
        ("This model does not support system messages", True),
        ("Invalid role: system", True),
        ("Unexpected role 'system' after role 'user'", True),
        ("'system' is not a valid role", True),
        ("'messages[0].role' does not support 'developer' with this model.", True),
        ("Only user and assistant roles are supported!", True),
        ("Conversation roles must alternate user/assistant/user/assistant/...", True),
        ("Invalid value for max_tokens", False),
        ("The system is overloaded", False),
        ("Your system prompt is too long", False),
    ],
)
def test_a_refusal_of_the_role_is_known(said: str, refuses: bool) -> None:
    assert refuses_role(ValueError(said)) is refuses


def test_they_count_when_the_history_is_made_to_fit() -> None:
    said = [
        TurnMessage("assistant" if at % 2 else "user", f"{at} " + "x" * 400) for at in range(21)
    ]
    assert list(fitted(said, 3000)) == said
    kept = fitted(said, 3000, "s" * 8000)
    assert size_of(kept, "s" * 8000) <= 3000
    assert kept[-1] == said[-1]
    assert list(fitted(said, 3000, "s" * 40_000)) == said[-1:]


async def test_the_provider_gets_less_of_the_history_beside_them(
    kind: str, provider: Provider
) -> None:
    more: dict[str, Any] = {"profile": {"max_input_tokens": 2000}}
    said = ["x" * 300] * 15
    cuts = []
    async with closing(LangChainHandler(make_model(kind, provider.base_url, **more))) as handler:
        for system in (None, "s" * 3000):
            reading = Reading(handler, said, system=system)
            await reading.task
            cuts.append(any(isinstance(each, HistoryCut) for each in reading.events))
    assert cuts == [False, True]


def test_the_local_models_history_is_shortened_behind_them() -> None:
    system = {"role": "system", "content": "s" * 1000}
    said = [
        {"role": "assistant" if at % 2 else "user", "content": f"{at}" * 500} for at in range(9)
    ]
    cut = shortened([system, *said], 0.5)
    assert cut is not None
    assert cut[0] == system
    assert cut[1]["role"] == "user"
    assert cut[-1] == said[-1]
    assert sum(len(each["content"]) for each in cut) <= 0.5 * (1000 + 4500)
    assert shortened([system, said[0]], 0.5) is None
