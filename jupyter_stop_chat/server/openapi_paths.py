"""What each HTTP route takes and answers, as OpenAPI describes it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from jupyter_stop_chat.documents.export import MEDIA_TYPES
from jupyter_stop_chat.documents.importing import ImportRequest
from jupyter_stop_chat.wire.http import (
    AddressRequest,
    ChatList,
    ChatPatch,
    GenerateRequest,
    Health,
    InterruptAllRequest,
    InterruptRequest,
    InterruptResults,
    KeyRequest,
    LocalModel,
    RunningGenerations,
    StreamStart,
    WholeChat,
)
from jupyter_stop_chat.wire.model_objects import ModelList
from jupyter_stop_chat.wire.objects import Chat, ErrorInfo, Message, StopResult
from jupyter_stop_chat.wire.server_frames import Delta, Error, MessageChanged, Thought, Tool

JSON = "application/json"
REF = "#/components/schemas/{model}"
_ID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}

_PROVIDER = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[a-z0-9_]{1,64}$"},
}

#: The models that are sent or answered, or carried by a stream's events.
SENT = (
    *(ChatPatch, ImportRequest, GenerateRequest, InterruptRequest, InterruptAllRequest),
    *(KeyRequest, AddressRequest),
)
ANSWERED = (
    *(ErrorInfo, InterruptResults, Message, ModelList, RunningGenerations, StopResult),
    *(
        LocalModel,
        Chat,
        ChatList,
        Health,
        WholeChat,
        StreamStart,
        Delta,
        Thought,
        Tool,
        MessageChanged,
        Error,
    ),
)

#: What each status means, wherever it is answered.
STATUSES = {
    400: "What was sent cannot be read, or a field of it is missing, unknown or wrong.",
    403: "Not signed in, or the authorizer does not allow it.",
    404: "There is no such thing, or it is somebody else's.",
    409: "Not possible in this state, no model is set up, or you have as many as are allowed.",
    413: "Too long.",
    429: "Asked too often: `Retry-After` says when to ask again; or too many of yours are made.",
    503: "The server cannot take more now.",
}

#: What each event of a stream carries.
EVENTS: dict[str, tuple[type[BaseModel], ...]] = {
    "start": (StreamStart,),
    "delta": (Delta,),
    "thought": (Thought,),
    "tool": (Tool,),
    "completed": (MessageChanged,),
    "interrupted": (MessageChanged,),
    "failed": (MessageChanged, Error),
}
STREAM = """One server-sent event. `start` comes first and carries the ids: from then on the reply
can be stopped. `delta` appends text at an offset, `thought` tells that the text from its
`text_length` on was a thought, which comes again as reasoning: cut it there. `tool` tells of a
tool call. One of `completed`, `interrupted` and `failed` is the last one and carries the message
without its text; its `text_length` tells where the text ends: cut what you have there. Lines that
begin with a colon only keep the connection alive. Closing the stream stops nothing."""


def operation(
    name: str,
    summary: str,
    answer: dict[str, Any],
    *,
    failures: tuple[int, ...] = (),
    body: type[BaseModel] | None = None,
    required: bool = False,
    parameters: tuple[dict[str, Any], ...] = (),
    status: int = 200,
    limited: bool = True,
) -> dict[str, Any]:
    """Describe one method of a route.

    :param name: the operation's id.
    :param answer: the content of a success, by media type.
    :param failures: statuses besides 403, which every route can answer.
    :param body: what is sent, if anything.
    :param limited: whether it is refused to who asks too often.
    """
    responses: dict[str, Any] = {str(status): {"description": summary}}
    if answer:
        responses[str(status)]["content"] = answer
    for each in sorted({403, *failures, *((429,) if limited else ())}):
        responses[str(each)] = {
            "description": STATUSES[each],
            "content": {JSON: {"schema": ref(ErrorInfo)}},
        }
    if limited:
        seconds = {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
        responses["429"]["headers"] = {"Retry-After": seconds}
    described: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "responses": responses,
    }
    if parameters:
        described["parameters"] = list(parameters)
    if body is not None:
        described["requestBody"] = {
            "required": required,
            "content": {JSON: {"schema": ref(body)}},
        }
    return described


def ref(model: type[BaseModel]) -> dict[str, str]:
    """Refer to a model's schema."""
    return {"$ref": REF.format(model=model.__name__)}


def json_of(model: type[BaseModel]) -> dict[str, Any]:
    """Describe an answer that is one object."""
    return {JSON: {"schema": ref(model)}}


def _stream() -> dict[str, Any]:
    """Describe the events of a stream: their names, and the JSON text in each."""
    return {
        "description": STREAM,
        "oneOf": [
            {
                "type": "object",
                "required": ["event", "data"],
                "properties": {
                    "event": {"const": name},
                    "data": {
                        "type": "string",
                        "contentMediaType": JSON,
                        "contentSchema": {"anyOf": [ref(each) for each in carried]},
                    },
                },
            }
            for name, carried in EVENTS.items()
        ],
    }


def path_id(name: str) -> dict[str, Any]:
    """Describe an id in a path."""
    return {"name": name, "in": "path", "required": True, "schema": _ID}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Describe what may stand in a query."""
    return {"name": name, "in": "query", "required": False, "schema": schema}


def paths() -> dict[str, Any]:
    """Describe the routes."""
    message = (path_id("message_id"),)
    chat = (path_id("chat_id"),)
    return {
        "/generate": {
            "post": operation(
                "generate",
                "Send a prompt and stream its reply.",
                {"text/event-stream": {"schema": _stream()}},
                failures=(400, 404, 409, 413, 503),
                body=GenerateRequest,
                required=True,
            )
        },
        "/generations": {
            "get": operation(
                "list_generations",
                "List what is being made or waits: yours.",
                json_of(RunningGenerations),
            )
        },
        "/generations/{message_id}": {
            "get": operation(
                "get_generation",
                "Return a reply as it is now: while it is made, and after.",
                json_of(Message),
                failures=(404,),
                parameters=message,
            )
        },
        "/generations/{message_id}/interrupt": {
            "post": operation(
                "interrupt",
                "Stop one reply at its model; answered once that is true.",
                json_of(StopResult),
                failures=(400, 404),
                body=InterruptRequest,
                parameters=message,
                limited=False,
            )
        },
        "/interrupt": {
            "post": operation(
                "interrupt_all",
                "Stop all that is yours, one chat's reply, one request's, or, by the authorizer's "
                "leave, everyone's.",
                json_of(InterruptResults),
                failures=(400,),
                body=InterruptAllRequest,
                limited=False,
            )
        },
        "/chats": {
            "get": operation(
                "list_chats",
                "List chats, newest change first; `query` searches titles and texts.",
                json_of(ChatList),
                failures=(400,),
                parameters=(
                    _query("limit", {"type": "integer", "minimum": 1, "maximum": 200}),
                    _query("before", _ID),
                    _query("query", {"type": "string"}),
                ),
            ),
            "post": operation(
                "import_chat",
                "Import a chat that was exported as JSON; it becomes a new one, of yours.",
                json_of(Chat),
                failures=(400, 409, 413),
                body=ImportRequest,
                required=True,
                status=201,
            ),
        },
        "/chats/{chat_id}": {
            "get": operation(
                "get_chat",
                "Return a chat with its newest messages, oldest first; `before` is the id that a "
                "page began with.",
                json_of(WholeChat),
                failures=(400, 404),
                parameters=(
                    *chat,
                    _query("limit", {"type": "integer", "minimum": 1, "maximum": 200}),
                    _query("before", _ID),
                ),
            ),
            "patch": operation(
                "rename_chat",
                "Give a chat another title, or none.",
                json_of(Chat),
                failures=(400, 404, 413),
                body=ChatPatch,
                required=True,
                parameters=chat,
            ),
            "delete": operation(
                "delete_chat",
                "Stop what runs in a chat, and delete it.",
                {},
                failures=(404,),
                parameters=chat,
                status=204,
            ),
        },
        "/chats/{chat_id}/export": {
            "get": operation(
                "export_chat",
                "Return a chat as Markdown, as a notebook or as JSON.",
                {each: {"schema": {}} for each in MEDIA_TYPES.values()},
                failures=(400, 404),
                parameters=(
                    *chat,
                    _query("format", {"type": "string", "enum": list(MEDIA_TYPES)}),
                ),
            )
        },
        "/health": {
            "get": operation(
                "health",
                "Tell how the engine, the store and the bus are.",
                json_of(Health),
                limited=False,
            )
        },
        "/models": {
            "get": operation(
                "list_models",
                "List what can be chosen now, and what is missing for the rest; with `wait`, once"
                " all servers have answered that list their own models.",
                json_of(ModelList),
                parameters=(_query("wait", {"type": "boolean"}),),
            )
        },
        "/providers/{name}/key": {
            "put": operation(
                "give_key",
                "Keep a key for a provider.",
                {},
                failures=(400, 404, 413),
                body=KeyRequest,
                required=True,
                parameters=(_PROVIDER,),
                status=204,
            ),
            "delete": operation(
                "take_key_back",
                "Forget the key that was given for a provider.",
                {},
                failures=(404,),
                parameters=(_PROVIDER,),
                status=204,
            ),
        },
        "/providers/{name}/address": {
            "put": operation(
                "give_address",
                "Keep the address of an OpenAI-compatible server.",
                {},
                failures=(400, 404, 413),
                body=AddressRequest,
                required=True,
                parameters=(_PROVIDER,),
                status=204,
            ),
            "delete": operation(
                "take_address_back",
                "Forget the address, and the key that was given for it.",
                {},
                failures=(404,),
                parameters=(_PROVIDER,),
                status=204,
            ),
        },
        "/local-model": {
            "get": operation(
                "get_local_model",
                "Tell whether the built-in model's weights are there, or how far they are.",
                json_of(LocalModel),
            ),
            "post": operation(
                "install_local_model",
                "Begin to install them, unless that has begun.",
                json_of(LocalModel),
                status=202,
            ),
            "delete": operation(
                "stop_installing",
                "Stop their installation; weights that are there stay.",
                json_of(LocalModel),
            ),
        },
        "/openapi.json": {
            "get": operation(
                "openapi", "Return this document.", {JSON: {"schema": {"type": "object"}}}
            )
        },
    }
