"""What each HTTP route takes and answers: told once, beside its handler, as OpenAPI has it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jupyter_server.auth.decorator import authorized
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from tornado.web import authenticated

from jupyter_stop_chat import __version__
from jupyter_stop_chat.wire.objects import ErrorInfo

if TYPE_CHECKING:
    from .base import StopChatHandler

JSON = "application/json"
REF = "#/components/schemas/{model}"
ID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
#: The schema of what can be anything.
ANYTHING: dict[str, Any] = {}
#: The schema of a file's bytes.
ANY_BYTES: dict[str, Any] = {"type": "string", "format": "binary"}

#: The parameters that a path may have.
IN_PATH = {
    "message_id": ID,
    "chat_id": ID,
    "name": {"type": "string", "pattern": "^[a-z0-9_]{1,64}$"},
    "call": ID,
    # Its provider's own.
    "call_id": {"type": "string", "pattern": "^[^/]{1,1200}$"},
    # As the settings, or a person's file, name it; and as models know it.
    "server": {"type": "string", "pattern": "^[^/]{1,1200}$"},
    "tool": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"},
    "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
}

#: What each status means, wherever it is answered.
STATUSES = {
    400: "What was sent cannot be read, or a field of it is missing, unknown or wrong.",
    403: "Not signed in, or the authorizer does not allow it.",
    404: "There is no such thing, or it is somebody else's.",
    409: "Not possible in this state, no model is set up, or you have as many as are allowed.",
    413: "Too long, or too large.",
    415: "This is no file of such a kind.",
    422: "The file cannot be read.",
    429: "Asked too often: `Retry-After` says when to ask again; or too many of yours are made.",
    502: "The provider refused it; `said` is its own sentence.",
    503: "The server cannot take more now.",
}

_Method = TypeVar("_Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operation:
    """What one method of a route takes and answers.

    As the method's decorator it lets in who is signed in and may do this. The first paragraph of
    the method's docstring is its summary.

    :ivar name: the operation's id.
    :ivar action: what the authorizer, which may be asynchronous, is asked about.
    :ivar answers: an object, the schema of each media type, or nothing.
    :ivar carried: the models in those schemas.
    :ivar status: of a success.
    :ivar failures: statuses besides those that every such route can answer.
    :ivar body: what is sent, if anything.
    :ivar upload: a file's bytes are sent.
    :ivar query: the schemas of what may stand in the query.
    """

    name: str
    action: str
    answers: type[BaseModel] | Mapping[str, Any] = field(default_factory=dict)
    carried: tuple[type[BaseModel], ...] = ()
    status: int = 200
    failures: tuple[int, ...] = ()
    body: type[BaseModel] | None = None
    upload: bool = False
    query: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, method: _Method) -> _Method:
        """Guard a method."""
        guarded = authenticated(authorized(action=self.action)(method))
        guarded.operation = self  # type: ignore[attr-defined]
        return cast("_Method", guarded)

    def describe(self, method: object, in_path: list[str], *, limited: bool) -> dict[str, Any]:
        """Describe the method.

        :param in_path: the names of the path's parameters.
        :param limited: whether it is refused to who asks too often.
        """
        summary = " ".join((inspect.getdoc(method) or "").partition("\n\n")[0].split())
        responses: dict[str, Any] = {str(self.status): {"description": summary}}
        if isinstance(self.answers, type):
            responses[str(self.status)]["content"] = {JSON: {"schema": ref(self.answers)}}
        elif self.answers:
            content = {each: {"schema": schema} for each, schema in self.answers.items()}
            responses[str(self.status)]["content"] = content
        failures = {403, *self.failures}
        failures |= {400} if self.body else set()
        failures |= {404} if in_path else set()
        failures |= {429} if limited else set()
        for each in sorted(failures):
            responses[str(each)] = {
                "description": STATUSES[each],
                "content": {JSON: {"schema": ref(ErrorInfo)}},
            }
        if limited:
            seconds = {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
            responses["429"]["headers"] = {"Retry-After": seconds}
        described: dict[str, Any] = {"operationId": self.name, "summary": summary}
        described["responses"] = responses
        parameters = [_parameter(name, "path", IN_PATH[name]) for name in in_path]
        parameters += [_parameter(name, "query", schema) for name, schema in self.query.items()]
        if parameters:
            described["parameters"] = parameters
        if self.body is not None:
            described["requestBody"] = {
                "required": any(each.is_required() for each in self.body.model_fields.values()),
                "content": {JSON: {"schema": ref(self.body)}},
            }
        if self.upload:
            content = {"application/octet-stream": {"schema": ANY_BYTES}}
            described["requestBody"] = {"required": True, "content": content}
        return described


def describe(routes: Iterable[tuple[str, type[StopChatHandler]]]) -> dict[str, Any]:
    """Return the document of some routes.

    :param routes: each path and its handler.
    """
    paths: dict[str, Any] = {}
    sent: set[type[BaseModel]] = set()
    answered: set[type[BaseModel]] = {ErrorInfo}
    for path, handler in routes:
        in_path = [name for name in IN_PATH if f"{{{name}}}" in path]
        described = paths[f"/{path}"] = {}
        for name, method in vars(handler).items():
            if declared := getattr(method, "operation", None):
                described[name] = declared.describe(method, in_path, limited=not handler.unlimited)
                sent |= {declared.body} if declared.body else set()
                answered |= set(declared.carried)
                answered |= {declared.answers} if isinstance(declared.answers, type) else set()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyter-stop-chat",
            "version": __version__,
            "summary": "A chat whose Stop really stops.",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": "/api/stop-chat"}],
        "security": [{"token": []}, {"query_token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(sent, answered),
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


def ref(model: type[BaseModel]) -> dict[str, str]:
    """Refer to a model's schema."""
    return {"$ref": REF.format(model=model.__name__)}


def _parameter(name: str, where: str, schema: Any) -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "schema": schema}


def _schemas(sent: set[type[BaseModel]], answered: set[type[BaseModel]]) -> dict[str, Any]:
    """Return the schemas of what is sent and answered, and of what is in it.

    What is answered lacks the fields that are not set.
    """
    asked: list[tuple[set[type[BaseModel]], JsonSchemaMode]] = [
        (sent, "validation"),
        (answered, "serialization"),
    ]
    by_name = attrgetter("__name__")
    schemas: dict[str, Any] = {}
    # Each by itself: together, an older pydantic gives a model that is in both two other names.
    for models, mode in reversed(asked):
        _, definitions = models_json_schema(
            [(each, mode) for each in sorted(models, key=by_name)], ref_template=REF
        )
        schemas |= definitions["$defs"]
    schemas = dict(sorted(schemas.items()))
    for name, schema in schemas.items():
        if "required" in schema and name not in {each.__name__ for each in sent}:
            schema["required"] = [
                field
                for field in schema["required"]
                if {"type": "null"} not in schema["properties"][field].get("anyOf", [])
            ]
    return schemas
