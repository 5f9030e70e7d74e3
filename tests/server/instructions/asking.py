"""A person who asks, and looks at what the model was told."""

from __future__ import annotations

import json
import uuid
from typing import Any

from tests.chat_handlers.test_instructions import system_of
from tests.providers import OpenAIProvider


class Asking:
    """A page and a person with a shell."""

    def __init__(self, page: Any, fetch: Any, provider: OpenAIProvider) -> None:
        self.page, self.provider = page, provider
        self._fetch = fetch

    async def call(self, method: str, *path: str, text: str | None = None, **query: str) -> Any:
        body = None if text is None else json.dumps({"text": text})
        response = await self._fetch(
            "api", "stop-chat", *path, method=method, body=body, params=query, raise_error=False
        )
        kind = response.headers.get("Content-Type", "")
        told = response.body.decode()
        return response.code, json.loads(told) if kind.startswith("application/json") else told

    async def send(self, **fields: Any) -> dict[str, Any]:
        accepted: dict[str, Any] = await self.page.ask("Hi", **fields)
        await self.page.end_of(accepted["message"]["id"])
        return accepted

    async def again(self, type_: str, message_id: str, **fields: Any) -> dict[str, Any]:
        request_id = str(uuid.uuid4())
        frame = {"type": type_, "message_id": message_id, "request_id": request_id, **fields}
        await self.page.send(frame)
        accepted: dict[str, Any] = await self.page.until(
            "accepted", lambda each: each["request_id"] == request_id
        )
        await self.page.end_of(accepted["message"]["id"])
        return accepted

    async def shown(self, accepted: dict[str, Any]) -> list[str]:
        """Return what the person is shown to have been sent."""
        status, told = await self.call(
            "GET", "messages", accepted["message"]["id"], "instructions"
        )
        assert status == 200
        assert not told["incomplete"]
        texts: list[str] = told["texts"]
        return texts

    async def asked(self, accepted: dict[str, Any]) -> str:
        """Return what the provider was asked last, once it is what is shown as the prompt."""
        last = self.provider.requests[-1].body["messages"][-1]
        assert last["role"] == "user"
        sent: str = last["content"]
        _, told = await self.call("GET", "messages", accepted["message"]["id"], "instructions")
        assert told["prompt"].encode() == sent.encode()
        return sent

    async def sent(self, accepted: dict[str, Any]) -> str:
        """Return what the provider was sent last, once it is what is shown."""
        (sent,) = system_of(self.provider.requests[-1])
        shown = await self.shown(accepted)
        assert shown[-1].encode() == sent.encode()
        return sent
