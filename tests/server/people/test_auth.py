"""Who may come in: on the socket and on every route of the document."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from jupyter_server.auth import Authorizer

from tests.aids.in_turn import in_turn
from tests.aids.knocking import (
    ROUTES,
    SOMEWHERE_ELSE,
    XSRF,
    Knock,
    configured,
    everywhere,
    knock,
    nothing_is_downloaded,
    token,
)

__all__ = ["knock", "nothing_is_downloaded"]


@everywhere
async def test_only_a_token_lets_in(knock: Knock, method: str, path: str) -> None:
    """L4: no token and a wrong one do not, a right one does, in the header and the query."""
    for headers in ({}, {"Authorization": "token wrong"}, {"Authorization": "Bearer wrong"}):
        status, told = await knock.answer(method, path, **headers)
        assert status == 403
        if path != "/ws":
            assert told["code"] == "not_allowed"
    assert (await knock.answer(method, path, query="?token=wrong"))[0] == 403
    assert await knock.let_in(method, path, **token(knock))
    assert await knock.let_in(method, path, query=f"?token={knock.token}")


@everywhere
async def test_a_cookie_lets_in_pages_of_this_server_only(
    knock: Knock, method: str, path: str
) -> None:
    """A page of another site sends this site's cookie along, and must have nothing of it."""
    ours = {"Cookie": await knock.login(), "X_XSRFToken": XSRF["_xsrf"]}
    assert await knock.let_in(method, path, **ours, Origin=knock.origin)
    assert await knock.let_in(
        method, path, **ours, Origin=knock.origin, Sec_Fetch_Site="same-origin"
    )
    refused = 403 if path == "/ws" else 404
    for theirs in (
        {"Origin": SOMEWHERE_ELSE},
        {"Origin": "null"},
        {"Origin": f"{knock.origin}.elsewhere.example"},
        {"Origin": f"http://localhost:{knock.port + 1}"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "cross-site", "Origin": SOMEWHERE_ELSE},
    ):
        assert (await knock.answer(method, path, **ours, **theirs))[0] == refused, theirs


@in_turn(("method", "path"), (each for each in ROUTES if each[0] != "GET"))
async def test_a_cookie_alone_changes_nothing(knock: Knock, method: str, path: str) -> None:
    """A form of another site sends the cookie, and cannot know the XSRF token."""
    cookie = await knock.login()
    for headers in ({}, {"X_XSRFToken": "ffffffffffffffffffffffffffffffff"}):
        status, told = await knock.answer(method, path, Cookie=cookie, **headers)
        assert (status, told["code"]) == (403, "not_allowed")


@everywhere
async def test_a_token_lets_in_from_anywhere(knock: Knock, method: str, path: str) -> None:
    """A page of another site does not know it; a script of one's own may."""
    for theirs in ({"Origin": SOMEWHERE_ELSE}, {"Origin": "null"}):
        assert await knock.let_in(method, path, **token(knock), **theirs)


@everywhere
async def test_another_name_for_this_machine_is_refused(
    knock: Knock, method: str, path: str
) -> None:
    """DNS rebinding: the page's own name leads here, and its cookies and tokens are welcome."""
    for host in ("elsewhere.example", f"elsewhere.example:{knock.port}", "127.0.0.1.example"):
        status, _ = await knock.answer(method, path, **token(knock), Host=host)
        assert status == 403
    assert await knock.let_in(method, path, **token(knock), Host=f"localhost:{knock.port}")


class Denies(Authorizer):
    """What denies all of the chat, after a moment, as one that asks a service does."""

    asked: list[tuple[str, str]] = []

    async def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:  # type: ignore[override]
        await asyncio.sleep(0)
        type(self).asked.append((action, resource))
        return not resource.startswith("jupyter_stop_chat")


@configured(authorizer_class=Denies)
@everywhere
async def test_an_authorizer_that_takes_its_time_is_waited_for(
    knock: Knock, method: str, path: str
) -> None:
    """Not awaited, its answer would be a coroutine, and that counts as a yes."""
    Denies.asked.clear()
    assert (await knock.answer(method, path, **token(knock)))[0] == 403
    ((action, resource),) = Denies.asked
    assert resource == "jupyter_stop_chat:chats"
    assert action in {"read", "write", "execute"}
    assert (action == "read") == (method == "GET" and path != "/ws")


@configured(token="")
@everywhere
async def test_a_server_that_asks_nobody_still_refuses_other_sites(
    knock: Knock, method: str, path: str
) -> None:
    ours = {"Cookie": f"_xsrf={XSRF['_xsrf']}", "X_XSRFToken": XSRF["_xsrf"]}
    assert await knock.let_in(method, path, **ours)
    assert await knock.let_in(method, path, **ours, Origin=knock.origin)
    refused = 403 if path == "/ws" else 404
    for theirs in (
        {"Origin": SOMEWHERE_ELSE},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
    ):
        assert (await knock.answer(method, path, **ours, **theirs))[0] == refused, theirs


@configured(allow_unauthenticated_access=False)
@everywhere
async def test_it_keeps_to_a_server_that_lets_nobody_in_unasked(
    knock: Knock, method: str, path: str, caplog: Any
) -> None:
    """No `JupyterServerAuthWarning`: warnings are errors in these tests."""
    assert (await knock.answer(method, path))[0] == 403
    assert await knock.let_in(method, path, **token(knock))
    assert "stop-chat" not in " ".join(
        record.getMessage() for record in caplog.records if "@allow_unauth" in record.getMessage()
    )


async def test_every_route_is_in_the_document(app: Any, knock: Knock) -> None:
    """So that each is tried in every test of this file."""
    described = {re.sub(r"\{\w+\}", "{}", path) for _, path in ROUTES}
    for pattern, *_ in app.handlers:
        path = pattern.removeprefix("/api/stop-chat").replace(r"\.", ".")
        path = _without_groups(path)
        assert path == "/ws" or path in described, path


def _without_groups(pattern: str) -> str:
    while "(" in pattern:
        start = pattern.index("(")
        depth, end = 0, start
        for end in range(start, len(pattern)):
            depth += {"(": 1, ")": -1}.get(pattern[end], 0)
            if depth == 0:
                break
        pattern = pattern[:start] + "{}" + pattern[end + 1 :]
    return pattern
