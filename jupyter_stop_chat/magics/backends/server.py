"""Chats on the kernel's own Jupyter Server, over its HTTP API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any
from urllib.parse import quote

from jupyter_stop_chat.magics.line import Line
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

from .base import LAST, ReplyEvent
from .finding import Address, kernel_id
from .http import answer, request

#: A stream says at least every 15 s that it is alive; one that does not for this long is broken.
SILENCE_S = 40.0
#: So often a broken stream is asked for again, and so long after the break, in seconds.
ATTEMPTS, RETRY_S = 6, 0.5
#: A stop is settled within 2 s by the engine; after this long it could not be confirmed.
STOP_S = 6.0
#: A prompt waits no longer for the name of its notebook, in seconds.
SESSIONS_S = 2.0
#: A longer path of a notebook is not sent.
LONGEST_PATH = 1000
#: What stands before the path of a notebook that several people edit at once.
SHARED = "RTC:"


class ServerBackend:
    """A client of one server's API."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self.label = f"Jupyter Server ({address.url.partition('://')[2].rstrip('/')})"

    def check(self, line: Line) -> None:
        """Learn whether the extension is there and the token is taken.

        :raises StopChatError: when this client may not come in.
        :raises OSError: when nothing answers, or the extension is not there.
        """
        self._ask("GET", "health", None, line)

    def stream(self, prompt: dict[str, Any], line: Line) -> Iterator[ReplyEvent]:
        """Send a prompt and yield its reply's events.

        A stream that breaks is asked for again: the same request counts once, and is told from its
        beginning.
        """
        begun = False
        for attempt in range(ATTEMPTS):
            try:
                with request(
                    self._address, "POST", "generate", prompt, line, SILENCE_S
                ) as response:
                    for event in _events(response):
                        begun = True
                        yield event
                        if event[0] in LAST:
                            return
            except StopChatError as error:
                if not begun or error.code is not ErrorCode.SHUTTING_DOWN:
                    raise
            except OSError:
                line.check()
                if attempt == ATTEMPTS - 1 or not begun:
                    raise
            line.pause(RETRY_S)
        raise ConnectionError("the stream broke again and again")

    def stop(self, target: dict[str, Any]) -> list[dict[str, Any]]:
        """Stop what a target names; answered once that is true."""
        message_id = target.get("message_id")
        if message_id is None:
            wanted = {key: value for key, value in target.items() if key != "shown"}
            done = self._ask("POST", "interrupt", wanted, patience=STOP_S)
            return list(done["results"])
        body = {} if target.get("shown") is None else {"shown": target["shown"]}
        path = f"generations/{quote(message_id, safe='')}/interrupt"
        return [self._ask("POST", path, body, patience=STOP_S)]

    def path(self, line: Line) -> str | None:
        """Return the notebook that this kernel is of, as its server calls it now.

        It is asked each time, since a notebook can be renamed.
        """
        kernel = kernel_id()
        if kernel is None:
            return None
        try:
            with request(
                self._address, "GET", "sessions", None, line, SESSIONS_S, "api/"
            ) as response:
                sessions = answer(response)
            for each in sessions:
                if each["kernel"]["id"] == kernel and each["type"] == "notebook":
                    path = str(each["path"]).removeprefix(SHARED)
                    return path if 0 < len(path) <= LONGEST_PATH else None
        except (StopChatError, OSError, KeyError, TypeError):
            line.check()  # it is sent without it
        return None

    def chats(self, line: Line, query: str = "", limit: int = 20) -> list[dict[str, Any]]:
        """List chats, newest change first."""
        found = self._ask("GET", f"chats?limit={limit}&query={quote(query)}", None, line)
        return list(found["chats"])

    def chat(self, chat_id: str) -> dict[str, Any]:
        """Return a chat and its messages, which come in pages."""
        path = f"chats/{quote(chat_id, safe='')}?limit=200"
        found = dict(self._ask("GET", path))
        messages = list(found["messages"])
        while found["earlier"]:
            page = self._ask("GET", f"{path}&before={messages[0]['id']}")
            messages[:0] = page["messages"]
            found["earlier"] = page["earlier"]
        return found | {"messages": messages}

    def rename(self, chat_id: str, title: str) -> None:
        """Give a chat a title."""
        self._ask("PATCH", f"chats/{quote(chat_id, safe='')}", {"title": title})

    def models(self) -> dict[str, Any]:
        """Return the models that can be chosen, and the default one."""
        return dict(self._ask("GET", "models"))

    def running(self) -> list[dict[str, Any]]:
        """List what is being made or waits."""
        return list(self._ask("GET", "generations")["generations"])

    def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        line: Line | None = None,
        patience: float = 30.0,
    ) -> Any:
        with request(self._address, method, path, body, line or Line(), patience) as response:
            return answer(response)


def _events(response: HTTPResponse) -> Iterator[ReplyEvent]:
    """Read server-sent events as they come."""
    rest = b""
    while data := response.read1(65536):
        *whole, rest = (rest + data).split(b"\n\n")
        for event in whole:
            if event.startswith(b":"):
                continue
            name, _, content = event.partition(b"\n")
            yield (
                name.removeprefix(b"event: ").decode(),
                json.loads(content.removeprefix(b"data: ")),
            )
    raise ConnectionError("the stream ended before the reply")
