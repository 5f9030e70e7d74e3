"""What providers receive of the pictures of a history."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.langchain.trimming import fitted, size_of
from jupyter_stop_chat.ports.handler import TurnMessage, TurnPicture
from jupyter_stop_chat.ports.pictures import Picture, tokens_of
from jupyter_stop_chat.testing import ScriptedModel
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.pictures import drawn
from tests.providers import Script
from tests.providers.chat_models import MODELS, make_model, make_provider
from tests.providers.reading import Reading

PNG, JPEG = drawn(), drawn(form="JPEG")
IN_BASE64 = {each: base64.b64encode(each).decode() for each in (PNG, JPEG)}


def _picture(digest: str, mime_type: str) -> TurnPicture:
    return TurnPicture("plot", Picture(digest * 64, mime_type, 1500, 1000, 1000))


HISTORY = [
    TurnMessage("user", "One", "1", (_picture("a", "image/png"),)),
    TurnMessage("assistant", "Yes."),
    TurnMessage("user", "Two", "2", (_picture("a", "image/png"), _picture("b", "image/jpeg"))),
]
BYTES = {"a" * 64: PNG, "b" * 64: JPEG}


def reading(handler: LangChainHandler, there: Mapping[str, bytes] = BYTES, **more: Any) -> Reading:
    made = Reading(handler, *HISTORY, **more)

    async def read(digest: str) -> bytes | None:
        return there.get(digest)

    made.turn._read = read
    return made


def _shown(kind: str, message: Any) -> list[tuple[str, str]]:
    """Return the pictures of a message as each provider's dialect has them, and its words."""
    if kind == "ollama":
        return [("", each) for each in message.get("images", ())] + [
            ("text", message["content"].strip())
        ]
    found = []
    for block in message["content"]:
        match block["type"]:
            case "image_url":
                found.append(tuple(block["image_url"]["url"].split(";base64,")))
            case "input_image":
                found.append(tuple(block["image_url"].split(";base64,")))
            case "image":
                source = block["source"]
                assert source["type"] == "base64"
                found.append((f"data:{source['media_type']}", source["data"]))
            case _:
                found.append(("text", block["text"]))
    return found


@pytest.mark.may_hold_the_loop("a client makes itself ready at its first request")
@pytest.mark.parametrize("kind", MODELS)
async def test_each_provider_receives_them_in_its_own_words(kind: str) -> None:
    """W22: the bytes, their type, before the prompt's words; again with the next prompt."""
    async with make_provider(kind) as provider:
        provider.script = Script(tokens=["I ", "see."])
        handler = LangChainHandler(make_model(kind, provider.base_url))
        made = reading(handler)
        assert await made.end() is None
        assert made.text == "I see."
        await handler.close()
        (request,) = provider.requests
    told = request.body.get("messages") or request.body["input"]
    users = [each for each in told if each["role"] == "user"]
    types = ["", ""] if kind == "ollama" else ["data:image/png", "data:image/jpeg"]
    png, jpeg = zip(types, IN_BASE64.values(), strict=True)
    assert _shown(kind, users[0]) == [png, ("text", "One")]
    assert _shown(kind, users[1]) == [png, jpeg, ("text", "Two")]


async def test_a_model_is_asked_only_for_what_it_takes() -> None:
    """W22: by LangChain's profile of it; where that says nothing, its provider may."""
    for profile, takes in (
        ({"image_inputs": False}, False),
        ({"image_inputs": True}, True),
        ({}, None),
    ):
        model = ScriptedModel(script=["ok"], profile=profile)
        handler = LangChainHandler(model)
        assert handler.takes_pictures is takes
        assert await reading(handler).end() is None
        content = model.runs[0].messages[0].content
        assert isinstance(content, str) is (takes is False)


async def test_a_picture_that_is_gone_meanwhile() -> None:
    """W22: an older one is left out, the prompt's own is missed."""
    model = ScriptedModel(script=["ok"])
    only_b = {"b" * 64: JPEG}
    made = reading(LangChainHandler(model), only_b)
    error = await made.end()
    assert isinstance(error, StopChatError)
    assert error.code is ErrorCode.UNKNOWN_PICTURE
    made = Reading(LangChainHandler(model), *HISTORY[:2], TurnMessage("user", "Two"))
    assert await made.end() is None
    assert model.runs[0].messages[0].content == "One"


async def test_a_reply_that_goes_on_has_seen_them_too() -> None:
    model = ScriptedModel(script=[" and a bar."])
    made = reading(LangChainHandler(model), prefix="There is a line")
    assert await made.end() is None
    assert json.dumps(model.runs[0].messages[2].content).count('"image"') == 2


def test_they_take_room_when_a_history_is_cut() -> None:
    """W22: 1,500 × 1,000 pixels are 2,000 tokens."""
    assert tokens_of(1500, 1000) == 2000
    assert size_of(HISTORY) > 6000
    assert fitted(HISTORY, 10_000) == HISTORY
    assert fitted(HISTORY, 5_000) == HISTORY[2:]
