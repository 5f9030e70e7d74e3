"""`jupyter stop-chat interrupt`: stop what a server is making, yours or everyone's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

#: Where the token is, if no file is named: on a command line other users of the machine read it.
TOKEN = "JUPYTER_TOKEN"
#: So long a server may take, in seconds: stops are settled within two, but a disk may be slow.
PATIENCE = 30.0


class NotDoneError(Exception):
    """What could not be done, as a sentence for who asked for it."""


class Stopped:
    """What a server answered.

    :ivar lines: what became of each reply, and of all.
    :ivar complete: whether all of it is stopped or had ended.
    """

    def __init__(self, outcomes: dict[str, str], unreached: int) -> None:
        beyond = sum(outcome == "made_elsewhere" for outcome in outcomes.values())
        self.complete = not (beyond or unreached)
        self.lines = tuple(_lines(outcomes, unreached))


def interrupt(server: str, token_file: Path | None, *, everyone: bool) -> Stopped:
    """Stop what a server makes.

    :param server: its address, which ends with its `base_url`.
    :param token_file: where its token is; else it is in the environment.
    :param everyone: of all people, and not only of whose token it is.
    :raises NotDoneError: when nothing was stopped, or that is not known.
    """
    address = _address(server)
    headers = {"Authorization": f"token {_token(token_file)}"}
    import httpx

    from jupyter_stop_chat.wire.http import InterruptResults

    where = f"{address}/api/stop-chat/interrupt"
    try:
        with httpx.Client(timeout=PATIENCE, trust_env=not _is_here(address)) as client:
            answer = client.post(where, headers=headers, json={"everyone": everyone})
    except httpx.TimeoutException:
        raise NotDoneError(
            f"{address} has not answered for {PATIENCE:.0f} s. What it makes may go on."
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotDoneError(f"{address} cannot be reached: {type(error).__name__}.") from None
    if answer.status_code != 200:
        raise NotDoneError(_refusal(address, answer.status_code, everyone=everyone))
    try:
        told = InterruptResults.model_validate_json(answer.content)
    except ValueError:
        raise NotDoneError(f"What answers at {address} is not this chat.") from None
    outcomes = {each.message_id: str(each.outcome) for each in told.results if each.message_id}
    return Stopped(outcomes, told.unreached or 0)


def _address(server: str) -> str:
    """Check an address, and return it without a slash at its end."""
    try:
        parts = urlsplit(server)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # also of a port that is none
        good = None
    if not good:
        raise NotDoneError("The address has to be one that begins with http:// or https://.")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise NotDoneError(
            "Give the address alone, without ?, # and @: other users of this machine can read it. "
            f"The token belongs into {TOKEN} or a file (--token-file)."
        )
    return server.rstrip("/")


def _token(path: Path | None) -> str:
    if path is None:
        token = os.environ.get(TOKEN, "").strip()
        if not token:
            raise NotDoneError(f"Put the server's token into {TOKEN} or a file (--token-file).")
    else:
        try:
            token = path.read_text().strip()
        except (OSError, ValueError):
            raise NotDoneError(f"The token's file cannot be read: {path}") from None
    # What else is in a header is no token, and would be told in an exception's words.
    if not (token.isascii() and token.isprintable()) or " " in token or not token:
        raise NotDoneError("What is given as the token is none: it has to be one word in ASCII.")
    return token


def _is_here(address: str) -> bool:
    """Tell whether a server is on this machine: it is asked without a proxy."""
    host = urlsplit(address).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _refusal(address: str, status: int, *, everyone: bool) -> str:
    if status == 403 and everyone:
        return (
            "The server refuses: the token is wrong, or whose it is may not stop everyone's "
            "replies. Its authorizer decides that."
        )
    if status in {302, 401, 403}:
        return "The server refuses: the token is wrong."
    if status == 404:
        return f"There is no chat at {address}. The address ends with the server's base_url."
    return f"{address} could not do it (status {status}); its log says why."


def _lines(outcomes: dict[str, str], unreached: int) -> Iterator[str]:
    """Yield a line for each reply, and what there is to say of all."""
    for message_id, outcome in outcomes.items():
        yield f"{message_id} {outcome}"
    stopped = sum(outcome == "interrupted" for outcome in outcomes.values())
    yield f"Stopped: {stopped}."
    if beyond := sum(outcome == "made_elsewhere" for outcome in outcomes.values()):
        yield f"Made by another server, which did not answer: {beyond}. They may go on."
    if unreached:
        yield f"Servers that did not answer: {unreached}. What they make may go on."
