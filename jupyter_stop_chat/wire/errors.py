"""The closed table of error codes: the only words about a failure that leave the server.

Nothing of an exception reaches a client. Whoever catches one picks a code from this table;
the exception itself goes to the log under an error id that the client is shown as well.
"""

from __future__ import annotations

import uuid

from .error_codes import ErrorCode
from .secrets import mask_for_people

__all__ = ["MOST_OF_A_FIELD", "SENTENCES", "ErrorCode", "StopChatError", "new_error_id"]

#: So much of a field's name is told, in characters.
MOST_OF_A_FIELD = 100


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
        "The Jupyter server that makes this chat's reply has not answered. Try again.",
        409,
    ),
    ErrorCode.NOT_ALLOWED: ("You are not allowed to do that. Sign in, or ask who may.", 403),
    ErrorCode.NO_SUCH_ROUTE: ("There is nothing here for such a request.", 404),
    ErrorCode.MODE_NOT_ALLOWED: (
        "No tools may be used here. Send the prompt in the mode Ask.",
        403,
    ),
    ErrorCode.ANSWERED_ALREADY: (
        "This is not asked for any more: it was answered, or the reply has ended.",
        409,
    ),
    ErrorCode.ASKED_ANEW: (
        "What is asked for has changed meanwhile. Look at it again, then answer.",
        409,
    ),
    ErrorCode.ASKED_EACH_TIME: (
        "This is asked for each time. Allow it once, or refuse it.",
        409,
    ),
    ErrorCode.ANSWER_TOO_LARGE: ("What a page answered a tool is too large.", 413),
    ErrorCode.UNKNOWN_MCP: ("There is no such MCP server, or it has no such tool.", 404),
    ErrorCode.TOOL_CHANGED: (
        "Its server says something else of this tool by now. Look at it again, then allow it.",
        409,
    ),
    ErrorCode.NO_PICTURE: (
        "This is no picture that can be sent. PNG, JPEG, WebP and GIF can.",
        415,
    ),
    ErrorCode.BROKEN_PICTURE: ("The picture is broken, or not all of it is there.", 422),
    ErrorCode.PICTURE_TOO_LARGE: (
        "The picture is too large: it may have 32 MB and 64 million pixels. Send a smaller one.",
        413,
    ),
    ErrorCode.UNKNOWN_PICTURE: (
        "A picture that is attached is not on the server any more. Attach it again.",
        404,
    ),
    ErrorCode.TOO_MANY_PICTURES: (
        "Your pictures take as much room as is allowed. Delete a chat with pictures, then try "
        "again.",
        409,
    ),
    ErrorCode.PICTURES_NOT_SAVED: (
        "No picture can be saved at the moment. Try again once chats are saved again.",
        503,
    ),
    ErrorCode.CANNOT_SEE: (
        "This model takes no pictures. Send the prompt without them, or choose another model.",
        409,
    ),
    ErrorCode.TOO_MUCH_TO_SEE: (
        "The pictures of one prompt are too much for it: they may be 20, and have 20 MB together. "
        "Send fewer of them.",
        413,
    ),
    ErrorCode.TOO_MANY_UPLOADS: (
        "Too many files are on their way at once. Wait for one, then try again.",
        429,
    ),
    ErrorCode.FILE_TOO_LARGE: ("The file is too large: it may have 32 MB.", 413),
    ErrorCode.FILE_TOO_SLOW: (
        "The file took too long to read. Try a smaller one.",
        422,
    ),
    ErrorCode.UNKNOWN_FILE: ("There is no such file for you on the server.", 404),
    ErrorCode.NO_DOCUMENTS: (
        "Documents are not read on this server. Whoever runs it can add that: "
        "pip install 'jupyter-stop-chat[documents]'.",
        409,
    ),
    ErrorCode.BAD_DOCUMENT: (
        "No words can be read from this document: it is broken, protected, or has none.",
        422,
    ),
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
    ErrorCode.BUDGET_SPENT: (
        "What you may use in a day is used up, so nothing was sent. A new day begins at midnight, "
        "UTC.",
        429,
    ),
    ErrorCode.TOO_MANY_STUCK: (
        "Too many models on this server do not react to Stop. Try again later, "
        "or choose another model.",
        503,
    ),
    ErrorCode.REPLY_TOO_LONG: ("The reply reached the longest length that is allowed.", 413),
    ErrorCode.TOOK_TOO_LONG: ("The reply took longer than is allowed and was ended.", 504),
    ErrorCode.TOO_MANY_STEPS: (
        "The model has done as much as one reply may. Look at what it did, then let it go on.",
        409,
    ),
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
    ErrorCode.CANNOT_USE_TOOLS: (
        "This model cannot use tools. Ask it in Ask mode, or choose another model.",
        409,
    ),
    ErrorCode.NOT_SAVED: (
        "Chats cannot be saved at the moment. They go on, and are saved as soon as that works: "
        "until then, do not stop the server.",
        503,
    ),
    ErrorCode.NEWER_DATABASE: (
        "A newer version of jupyter-stop-chat has used the database, so this one leaves it as it "
        "is: earlier chats are not shown, and new ones are kept until the server ends. Update the "
        "package.",
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
    ErrorCode.OTHERS_LATE: (
        "This server cannot reach the others at once at the moment. What is asked of a reply that "
        "another one makes, a stop above all, can take some seconds longer.",
        503,
    ),
    ErrorCode.OTHERS_AGAIN: ("The other servers are reached at once again.", 200),
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
