"""The OpenAPI document of the HTTP routes, made from the models that the routes use.

It is checked in as `docs/openapi.json` and served at `api/stop-chat/openapi.json`.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jupyter_server.auth.decorator import authorized
from pydantic.json_schema import models_json_schema
from tornado.web import authenticated

from jupyter_stop_chat import __version__

from .base import StopChatHandler
from .openapi_paths import ANSWERED, JSON, REF, SENT, paths


def document(base_url: str = "/") -> dict[str, Any]:
    """Return the document.

    :param base_url: where Jupyter Server serves, with a slash at its end.
    """
    made: dict[str, Any] = json.loads(_document())
    made["servers"] = [{"url": f"{base_url}api/stop-chat"}]
    return made


@cache
def _document() -> str:
    _, definitions = models_json_schema(
        [
            *((each, "validation") for each in SENT),
            *((each, "serialization") for each in ANSWERED),
        ],
        ref_template=REF,
    )
    schemas: dict[str, Any] = definitions["$defs"]
    sent = {each.__name__ for each in SENT}
    for name, schema in schemas.items():
        if name not in sent:
            _as_answered(schema)
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "jupyter-stop-chat",
                "version": __version__,
                "summary": "A chat whose Stop really stops.",
                "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
            },
            "servers": [{"url": "/api/stop-chat"}],
            "security": [{"token": []}, {"query_token": []}, {"cookie": []}],
            "paths": paths(),
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "token": {
                        "type": "apiKey",
                        "in": "header",
                        "name": "Authorization",
                        "description": "`token <the server's token>`",
                    },
                    "query_token": {"type": "apiKey", "in": "query", "name": "token"},
                    "cookie": {
                        "type": "apiKey",
                        "in": "cookie",
                        "name": "_xsrf",
                        "description": "Jupyter Server's own login cookie. All but GET needs the "
                        "header X-XSRFToken with the value of the `_xsrf` cookie as well.",
                    },
                },
            },
        }
    )


def _as_answered(schema: dict[str, Any]) -> None:
    """Let a field be missing where it is left out of answers: one that is not set."""
    properties = schema.get("properties", {})
    needed = [
        name
        for name in schema.get("required", [])
        if {"type": "null"} not in properties[name].get("anyOf", [])
    ]
    if "required" in schema:
        schema["required"] = needed


class OpenAPIHandler(StopChatHandler):
    """The handler of `GET openapi.json`."""

    @authenticated
    @authorized(action="read")  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Return the document, with this server's address."""
        self.set_header("Content-Type", JSON)
        self.finish(json.dumps(document(self.base_url)))
