"""The stop of everyone's replies over HTTP: by whose leave, and what is on record of it."""

from __future__ import annotations

import asyncio
import json
import logging
from io import StringIO
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jupyter_server.auth import Authorizer

from jupyter_stop_chat.observe.events import STOPPED_EVERYONE
from jupyter_stop_chat.server.leave import EVERYONE_RESOURCE
from jupyter_stop_chat.server.routes import document
from jupyter_stop_chat.testing import Gate
from tests.aids.http_streams import begin
from tests.aids.in_turn import in_turn
from tests.aids.knocking import configured, knock, nothing_is_downloaded
from tests.server.people.people import TWO_PEOPLE, Named

__all__ = ["knock", "nothing_is_downloaded"]

EVERYONE = {"everyone": True}


class Everything(Authorizer):
    """What lets everyone do everything, and was not written with the chat in mind."""

    asked: list[tuple[str, str]] = []

    async def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:  # type: ignore[override]
        type(self).asked.append((action, resource))
        await asyncio.sleep(0)
        return True


class ByAccident(Everything):
    """What names the resource within a text, and not as one of several."""

    decides_on = EVERYONE_RESOURCE + " and more"


class Operators(Everything):
    """What lets everyone do everything but stop everyone's, which is Ben's."""

    decides_on = frozenset({EVERYONE_RESOURCE})

    async def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:  # type: ignore[override]
        may = await super().is_authorized(handler, user, action, resource)
        return may and (resource != EVERYONE_RESOURCE or user.username == "ben")


def named(authorizer: type[Authorizer]) -> pytest.MarkDecorator:
    """Have the server know people by name, and ask an authorizer."""
    return configured(
        identity_provider_class=Named, disable_check_xsrf=True, authorizer_class=authorizer
    )


@pytest.fixture(autouse=True)
def _asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Everything, "asked", [])


@pytest.fixture
def recorded(app: Any) -> StringIO:
    """Record events as an operator does."""
    stream = StringIO()
    app.serverapp.event_logger.register_handler(logging.StreamHandler(stream))
    return stream


def _audits(recorded: StringIO) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in recorded.getvalue().splitlines()]
    return [each for each in events if each["__schema__"] == STOPPED_EVERYONE]


async def test_who_has_the_token_of_a_server_with_one_owner_may(
    scripted: Any, stream: Any, call: Any, app: Any, caplog: Any
) -> None:
    """J6: all that is made there is theirs."""
    await scripted(Gate())
    starts = [(await begin(await stream()))[1] for _ in range(2)]
    status, told = await call("POST", "interrupt", body=EVERYONE)
    assert status == 200
    assert told["unreached"] == 0
    assert {each["message_id"] for each in told["results"]} == {
        each["message_id"] for each in starts
    }
    assert {each["outcome"] for each in told["results"]} == {"interrupted"}
    assert (await app.services()).engine.registry.empty
    assert [r for r in caplog.records if "stopped everyone" in r.getMessage()], "audited"
    assert await call("POST", "interrupt", body=EVERYONE) == (200, {"results": [], "unreached": 0})


@configured(authorizer_class=Operators)
async def test_also_there_the_authorizer_is_asked(scripted: Any, stream: Any, call: Any) -> None:
    await scripted(Gate())
    _, start = await begin(await stream())
    status, told = await call("POST", "interrupt", body=EVERYONE)
    assert (status, told["code"]) == (403, "not_allowed")
    assert ("execute", EVERYONE_RESOURCE) in Operators.asked
    _, told = await call("POST", "interrupt")
    assert [each["message_id"] for each in told["results"]] == [start["message_id"]]


async def _is_refused(person: Any, annas: Any, recorded: StringIO) -> None:
    anna, ben = await person("anna"), await person("ben")
    hers = await annas(anna)
    for each in (ben, anna):
        status, told = await each.call("POST", "/interrupt", EVERYONE)
        assert (status, told["code"]) == (403, "not_allowed")
    assert hers.untouched()
    assert _audits(recorded) == []


@TWO_PEOPLE
async def test_nobody_may_where_people_have_names(
    person: Any, annas: Any, recorded: StringIO
) -> None:
    """J6: Jupyter Server's own authorizer allows all, and that is no leave for this."""
    await _is_refused(person, annas, recorded)


@named(Everything)
async def test_nobody_may_by_an_authorizer_that_allows_whatever_it_is_asked(
    person: Any, annas: Any, recorded: StringIO, caplog: Any
) -> None:
    """J6: JupyterHub's is such a one. The log says what it would have to name."""
    caplog.set_level(logging.INFO)
    await _is_refused(person, annas, recorded)
    assert ("execute", EVERYONE_RESOURCE) not in Everything.asked
    assert "Everything does not name jupyter_stop_chat:everyone" in caplog.text


@named(ByAccident)
async def test_a_text_names_no_resource(person: Any, annas: Any, recorded: StringIO) -> None:
    await _is_refused(person, annas, recorded)


@named(Operators)
async def test_everyone_is_stopped_by_the_authorizers_leave(
    person: Any, annas: Any, recorded: StringIO
) -> None:
    """J6: who stopped whose is on record, without a word of them; they are told of it."""
    anna, ben = await person("anna"), await person("ben")
    hers = await annas(anna)
    status, told = await anna.call("POST", "/interrupt", EVERYONE)
    assert (status, told["code"]) == (403, "not_allowed")
    assert hers.untouched()
    status, told = await ben.call("POST", "/interrupt", EVERYONE)
    assert (status, told["unreached"]) == (200, 0)
    stopped = [each["message_id"] for each in told["results"]]
    assert stopped == [hers.running["message"]["id"]]
    (audit,) = _audits(recorded)
    assert (audit["by"], audit["owners"]) == ("user:ben", ["user:anna"])
    assert (audit["messages"], audit["unreached"]) == (stopped, 0)
    assert "Secret" not in json.dumps([told, audit])
    while (frame := await anna.read()).get("message", {}).get("state") != "interrupted":
        pass
    assert frame["message"]["id"] == stopped[0]
    waiting = hers.engine.generation(hers.waiting["message"]["id"])
    assert (waiting.stop, waiting.state) == (None, "queued"), "what waits is kept"


@in_turn(
    ("body", "code", "field"),
    [
        ({"everyone": "yes"}, "invalid_field", "everyone"),
        ({"everyone": 1}, "invalid_field", "everyone"),
        ({"everyone": True, "discard": True}, "invalid_field", "discard"),
        ({"everyone": True, "shown": 3}, "invalid_field", "shown"),
        ({"everyone": True, "request_id": "x"}, "invalid_field", "request_id"),
        ("[]", "bad_frame", None),
        ("{", "bad_frame", None),
    ],
)
async def test_a_wrong_body_stops_nothing(
    scripted: Any, stream: Any, call: Any, app: Any, body: Any, code: str, field: str | None
) -> None:
    """V11: also everyone's prompts are not taken out of their chats."""
    await scripted(Gate())
    _, start = await begin(await stream())
    status, told = await call("POST", "interrupt", body=body)
    assert (status, told["code"], told.get("field")) == (400, code, field)
    assert (await app.services()).engine.generation(start["message_id"]).stop is None


@pytest.mark.parametrize("chat_id", [None, "11111111-1111-4111-8111-111111111111"])
@pytest.mark.parametrize("discard", [False, True])
async def test_the_document_tells_what_is_refused(
    scripted: Any, call: Any, discard: bool, chat_id: str | None
) -> None:
    """L5: whose prompts they are, their owners decide; and no client is to try that out."""
    schema = document()["components"]["schemas"]["InterruptAllRequest"]
    for body in (
        {"everyone": everyone, "discard": discard, "chat_id": chat_id, "request_id": None}
        for everyone in (False, True)
    ):
        status, _ = await call("POST", "interrupt", body=body)
        assert (status == 200) is Draft202012Validator(schema).is_valid(body), body
