"""The closed table of error codes: the only words about a failure that leave the server.

Nothing of an exception reaches a client. Whoever catches one picks a code from this table;
the exception itself goes to the log under an error id that the client is shown as well.
"""

from __future__ import annotations

import uuid
from enum import StrEnum

from .secrets import mask_for_people

#: So much of a field's name is told, in characters.
MOST_OF_A_FIELD = 100


class ErrorCode(StrEnum):
    """Every error that a client can be told of."""

    # what a client sent
    BAD_FRAME = "bad_frame"
    UNKNOWN_TYPE = "unknown_type"
    INVALID_FIELD = "invalid_field"
    BLANK_PROMPT = "blank_prompt"
    BLANK_TITLE = "blank_title"
    PROMPT_TOO_LONG = "prompt_too_long"
    QUERY_TOO_LONG = "query_too_long"
    UNKNOWN_CHAT = "unknown_chat"
    UNKNOWN_MESSAGE = "unknown_message"
    NOT_POSSIBLE_NOW = "not_possible_now"
    MADE_ELSEWHERE = "made_elsewhere"
    NOT_ALLOWED = "not_allowed"
    NO_SUCH_ROUTE = "no_such_route"
    # what the server allows
    BUSY = "busy"
    TOO_MANY_GENERATIONS = "too_many_generations"
    SERVER_BUSY = "server_busy"
    TOO_FAST = "too_fast"
    TOO_MANY_SOCKETS = "too_many_sockets"
    TOO_MANY_CHATS = "too_many_chats"
    TOO_MANY_STUCK = "too_many_stuck"
    REPLY_TOO_LONG = "reply_too_long"
    TOOK_TOO_LONG = "took_too_long"
    SHUTTING_DOWN = "shutting_down"
    # models
    NO_MODEL = "no_model"
    UNKNOWN_MODEL = "unknown_model"
    UNKNOWN_PROVIDER = "unknown_provider"
    MODEL_NOT_ALLOWED = "model_not_allowed"
    MISSING_PACKAGE = "missing_package"
    MISSING_KEY = "missing_key"
    UNSTOPPABLE_MODEL = "unstoppable_model"
    LOCAL_MODEL_MISSING = "local_model_missing"
    LOCAL_MODEL_CRASHED = "local_model_crashed"
    LOCAL_MODEL_MEMORY = "local_model_memory"
    DOWNLOAD_FAILED = "download_failed"
    DISK_FULL = "disk_full"
    WRONG_CHECKSUM = "wrong_checksum"
    INSTALL_FAILED = "install_failed"
    INVALID_KEY = "invalid_key"
    INVALID_ADDRESS = "invalid_address"
    KEYCHAIN_LOCKED = "keychain_locked"
    # what a provider answered
    KEY_REFUSED = "key_refused"
    FORBIDDEN = "forbidden"
    MODEL_NOT_FOUND = "model_not_found"
    PROVIDER_TIMEOUT = "provider_timeout"
    CONTEXT_TOO_LONG = "context_too_long"
    RATE_LIMITED = "rate_limited"
    PROVIDER_FAILED = "provider_failed"
    PROVIDER_UNREACHABLE = "provider_unreachable"
    CONTENT_FILTERED = "content_filtered"
    REQUEST_REFUSED = "request_refused"
    EMPTY_REPLY = "empty_reply"
    QUOTA_EXCEEDED = "quota_exceeded"
    WRONG_ADDRESS = "wrong_address"
    PROVIDER_MEMORY = "provider_memory"
    UNOFFERED_TOOL = "unoffered_tool"
    # what the store says to everyone
    NOT_SAVED = "not_saved"
    NOT_READABLE = "not_readable"
    SAVED_AGAIN = "saved_again"
    SET_ASIDE = "set_aside"
    # ours
    GENERATION_FAILED = "generation_failed"
    INTERNAL = "internal"


#: One plain sentence with the next step for each code, and the HTTP status that goes with it.
SENTENCES: dict[ErrorCode, tuple[str, int]] = {
    ErrorCode.BAD_FRAME: ("The message is not a JSON object.", 400),
    ErrorCode.UNKNOWN_TYPE: ("The message has no known type.", 400),
    ErrorCode.INVALID_FIELD: ("The message has a missing, unknown or wrong field.", 400),
    ErrorCode.BLANK_PROMPT: ("There is nothing to send: the prompt is blank.", 400),
    ErrorCode.BLANK_TITLE: (
        "A title of blanks is none. Write a word, or leave the title to the chat.",
        400,
    ),
    ErrorCode.PROMPT_TOO_LONG: ("The prompt is too long. Shorten it and send it again.", 413),
    ErrorCode.QUERY_TOO_LONG: (
        "Search for fewer words: at most 16, of 200 characters together.",
        400,
    ),
    ErrorCode.UNKNOWN_CHAT: ("There is no such chat.", 404),
    ErrorCode.UNKNOWN_MESSAGE: ("There is no such message.", 404),
    ErrorCode.NOT_POSSIBLE_NOW: (
        "That is not possible while the message is in this state.",
        409,
    ),
    ErrorCode.MADE_ELSEWHERE: (
        "Another Jupyter server on the same data makes this reply. Stop it there.",
        409,
    ),
    ErrorCode.NOT_ALLOWED: ("You are not allowed to do that. Sign in, or ask who may.", 403),
    ErrorCode.NO_SUCH_ROUTE: ("There is nothing here for such a request.", 404),
    ErrorCode.BUSY: ("A reply is being made in this chat. Stop it, or wait for its end.", 409),
    ErrorCode.TOO_MANY_GENERATIONS: (
        "Too many of your replies are being made at once. Stop one, or wait.",
        429,
    ),
    ErrorCode.SERVER_BUSY: ("The server is making as many replies as it can. Try again.", 503),
    ErrorCode.TOO_FAST: (
        "Too much is asked in too short a time. Wait a moment, then try again.",
        429,
    ),
    ErrorCode.TOO_MANY_SOCKETS: (
        "Too many of your pages have the chat open. Close one, then load this one again.",
        429,
    ),
    ErrorCode.TOO_MANY_CHATS: (
        "You have as many chats as are allowed. Delete one, then try again.",
        409,
    ),
    ErrorCode.TOO_MANY_STUCK: (
        "Too many models on this server do not react to Stop. Try again later, "
        "or choose another model.",
        503,
    ),
    ErrorCode.REPLY_TOO_LONG: ("The reply reached the longest length that is allowed.", 413),
    ErrorCode.TOOK_TOO_LONG: ("The reply took longer than is allowed and was ended.", 504),
    ErrorCode.SHUTTING_DOWN: ("The server is shutting down.", 503),
    ErrorCode.NO_MODEL: (
        "No model is set up. Install the local model, or give a provider's key.",
        409,
    ),
    ErrorCode.UNKNOWN_MODEL: ("There is no such model. Choose another one.", 404),
    ErrorCode.UNKNOWN_PROVIDER: ("There is no such provider.", 404),
    ErrorCode.MODEL_NOT_ALLOWED: (
        "This model is not allowed on this server. Choose another one.",
        403,
    ),
    ErrorCode.MISSING_PACKAGE: (
        "The package for this model's provider is not installed on the server.",
        409,
    ),
    ErrorCode.MISSING_KEY: (
        "This model's provider needs a key. Add one, or choose another model.",
        409,
    ),
    ErrorCode.UNSTOPPABLE_MODEL: (
        "This model is set up so that it cannot be stopped: "
        "its fallbacks must not handle BaseException.",
        409,
    ),
    ErrorCode.LOCAL_MODEL_MISSING: (
        "The local model is not installed. Install it here, or choose another model.",
        409,
    ),
    ErrorCode.LOCAL_MODEL_CRASHED: ("The local model ended unexpectedly. Try again.", 502),
    ErrorCode.LOCAL_MODEL_MEMORY: (
        "The local model needs more memory than it may use on this server. Choose another model.",
        507,
    ),
    ErrorCode.DOWNLOAD_FAILED: (
        "The local model could not be downloaded. Check the server's network and pip's index, "
        "then try again.",
        502,
    ),
    ErrorCode.DISK_FULL: (
        "The server's disk is too full for the local model. Make room, then try again.",
        507,
    ),
    ErrorCode.WRONG_CHECKSUM: (
        "What was downloaded is not the local model, so nothing was installed. Try again.",
        502,
    ),
    ErrorCode.INSTALL_FAILED: (
        "The local model could not be installed. The server's log says why.",
        500,
    ),
    ErrorCode.INVALID_KEY: (
        "This cannot be a key: it has characters that no request can carry. Copy it once more.",
        400,
    ),
    ErrorCode.INVALID_ADDRESS: (
        "This is no address of a server. It begins with http:// or https://, as in "
        "http://127.0.0.1:8000/v1.",
        400,
    ),
    ErrorCode.KEYCHAIN_LOCKED: (
        "The key is in the system's keychain, which is locked. Unlock it, then try again.",
        409,
    ),
    ErrorCode.KEY_REFUSED: ("The provider refused the key. Check it, or give another one.", 502),
    ErrorCode.FORBIDDEN: ("The provider does not allow this key to use this model.", 502),
    ErrorCode.MODEL_NOT_FOUND: ("The provider does not know this model. Choose another.", 502),
    ErrorCode.PROVIDER_TIMEOUT: ("The provider took too long to answer. Try again.", 504),
    ErrorCode.CONTEXT_TOO_LONG: (
        "This is too long for the model, even without older messages. Shorten the prompt or its "
        "attachments, or choose another model.",
        413,
    ),
    ErrorCode.RATE_LIMITED: ("The provider asks to wait: too many requests. Try again soon.", 429),
    ErrorCode.PROVIDER_FAILED: ("The provider has a problem of its own. Try again.", 502),
    ErrorCode.PROVIDER_UNREACHABLE: (
        "The provider cannot be reached. Check the network and the address.",
        502,
    ),
    ErrorCode.CONTENT_FILTERED: ("The provider's content filter refused this.", 422),
    ErrorCode.REQUEST_REFUSED: ("The provider refused the request.", 502),
    ErrorCode.EMPTY_REPLY: ("The model answered with nothing. Try again.", 502),
    ErrorCode.QUOTA_EXCEEDED: (
        "The account at the provider has no credit left. Waiting does not help: add some there, "
        "or choose another model.",
        402,
    ),
    ErrorCode.WRONG_ADDRESS: (
        "No model answers at this address. Check that it begins with the right one of http:// and "
        "https://; most servers want it to end in /v1.",
        502,
    ),
    ErrorCode.PROVIDER_MEMORY: (
        "The machine that runs this model has too little memory for it. Choose a smaller one.",
        507,
    ),
    ErrorCode.UNOFFERED_TOOL: (
        "The model asked for a tool that it was not offered, and said nothing else. Try again, or "
        "choose another model.",
        502,
    ),
    ErrorCode.NOT_SAVED: (
        "Chats cannot be saved at the moment. They go on, and are saved as soon as that works: "
        "until then, do not stop the server.",
        503,
    ),
    ErrorCode.NOT_READABLE: (
        "Chats that were saved before cannot be read at the moment. Try again in a while; "
        "a new chat works.",
        503,
    ),
    ErrorCode.SAVED_AGAIN: ("Chats are saved again.", 200),
    ErrorCode.SET_ASIDE: (
        "The file of chats was damaged. It was set aside, and what could be read of it is here.",
        200,
    ),
    ErrorCode.GENERATION_FAILED: ("The model failed while it was answering. Try again.", 502),
    ErrorCode.INTERNAL: ("Something went wrong on the server. Try again.", 500),
}


class StopChatError(Exception):
    """An error with one code of the table, for the client.

    :param code: which error.
    :param detail: what the log may know and the client may not.
    :param said: the provider's own sentence, for the client as well: no exception's words, and
        nothing in it that is a key or a path.
    """

    def __init__(self, code: ErrorCode, detail: str = "", said: str | None = None) -> None:
        super().__init__(f"{code}: {detail}" if detail else str(code))
        self.code = code
        self.detail = detail
        self.said = said

    @property
    def sentence(self) -> str:
        """Return the plain sentence for a person."""
        return SENTENCES[self.code][0]

    @property
    def field(self) -> str | None:
        """Return which field of a request is wrong, as its sender called it."""
        if self.code is not ErrorCode.INVALID_FIELD or not self.detail or " " in self.detail:
            return None
        return mask_for_people(self.detail, longest=MOST_OF_A_FIELD) or None

    @property
    def status(self) -> int:
        """Return the HTTP status that goes with the code."""
        return SENTENCES[self.code][1]


def new_error_id() -> str:
    """Make a short id that ties what a page shows to a line in the log."""
    return uuid.uuid4().hex[:12]
