"""Say in the closed table's words what a provider's exception means.

No provider's package is imported: an exception is known by its status, its own codes and the
names of its classes, over the whole chain of causes.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping

from jupyter_stop_chat.errors import ErrorCode, StopChatError

_BY_STATUS = {
    401: ErrorCode.KEY_REFUSED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.MODEL_NOT_FOUND,
    408: ErrorCode.PROVIDER_TIMEOUT,
    413: ErrorCode.CONTEXT_TOO_LONG,
    429: ErrorCode.RATE_LIMITED,
    504: ErrorCode.PROVIDER_TIMEOUT,
}

#: What providers call it themselves, in `code`, `type` or `status` of an error's body.
_BY_WORD = {
    "context_length_exceeded": ErrorCode.CONTEXT_TOO_LONG,
    "string_above_max_length": ErrorCode.CONTEXT_TOO_LONG,
    "request_too_large": ErrorCode.CONTEXT_TOO_LONG,
    "content_filter": ErrorCode.CONTENT_FILTERED,
    "content_policy_violation": ErrorCode.CONTENT_FILTERED,
    "invalid_api_key": ErrorCode.KEY_REFUSED,
    "authentication_error": ErrorCode.KEY_REFUSED,
    "unauthenticated": ErrorCode.KEY_REFUSED,
    "permission_error": ErrorCode.FORBIDDEN,
    "permission_denied": ErrorCode.FORBIDDEN,
    "not_found_error": ErrorCode.MODEL_NOT_FOUND,
    "not_found": ErrorCode.MODEL_NOT_FOUND,
    "rate_limit_exceeded": ErrorCode.RATE_LIMITED,
    "rate_limit_error": ErrorCode.RATE_LIMITED,
    "insufficient_quota": ErrorCode.RATE_LIMITED,
    "resource_exhausted": ErrorCode.RATE_LIMITED,
    "timeout_error": ErrorCode.PROVIDER_TIMEOUT,
    "deadline_exceeded": ErrorCode.PROVIDER_TIMEOUT,
    "overloaded_error": ErrorCode.PROVIDER_FAILED,
    "api_error": ErrorCode.PROVIDER_FAILED,
    "server_error": ErrorCode.PROVIDER_FAILED,
    "internal": ErrorCode.PROVIDER_FAILED,
    "unavailable": ErrorCode.PROVIDER_FAILED,
    "invalid_request_error": ErrorCode.REQUEST_REFUSED,
    "invalid_argument": ErrorCode.REQUEST_REFUSED,
}

_BY_CLASS = {
    "ContextOverflowError": ErrorCode.CONTEXT_TOO_LONG,
    "ContentFilterFinishReasonError": ErrorCode.CONTENT_FILTERED,
    "OpenAIContentFilterError": ErrorCode.CONTENT_FILTERED,
    "TimeoutException": ErrorCode.PROVIDER_TIMEOUT,
    "APITimeoutError": ErrorCode.PROVIDER_TIMEOUT,
    "ServerTimeoutError": ErrorCode.PROVIDER_TIMEOUT,
    "ReadError": ErrorCode.PROVIDER_FAILED,
    "WriteError": ErrorCode.PROVIDER_FAILED,
    "RemoteProtocolError": ErrorCode.PROVIDER_FAILED,
    "ConnectError": ErrorCode.PROVIDER_UNREACHABLE,
    "ProxyError": ErrorCode.PROVIDER_UNREACHABLE,
    "UnsupportedProtocol": ErrorCode.PROVIDER_UNREACHABLE,
    "InvalidURL": ErrorCode.PROVIDER_UNREACHABLE,
    "ClientConnectorError": ErrorCode.PROVIDER_UNREACHABLE,
}

#: Asked last, as its causes say it better.
_VAGUE = {"APIConnectionError": ErrorCode.PROVIDER_UNREACHABLE}

_TOO_LONG = re.compile(
    r"context (length|window)|maximum context|prompt is too long|too many (input )?tokens"
    r"|input token count|exceeds the maximum number of tokens",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content (filter|management policy|policy)", re.IGNORECASE)

_MOST_CAUSES = 8


def code_of(error: BaseException) -> ErrorCode:
    """Find the code of the table for an exception of a provider or of its client library."""
    chain = list(causes(error))
    for one in chain:
        if isinstance(one, StopChatError):
            return one.code
    for one in chain:
        code = _from_answer(one)
        if code is not None:
            return code
    for table in (_BY_CLASS, _VAGUE):
        for one in chain:
            code = _from_class(one, table)
            if code is not None:
                return code
    return ErrorCode.GENERATION_FAILED


def stop_chat_error(error: BaseException, secrets: Iterable[str] = ()) -> StopChatError:
    """Make the error that a client may be told of; raise it `from` the other.

    :param error: what a provider's library raised.
    :param secrets: keys that must not be in the log.
    """
    if isinstance(error, StopChatError):
        return error
    detail = mask_keys(f"{type(error).__name__}: {error}", secrets)
    return StopChatError(code_of(error), detail[:2000])


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it came from, outermost first."""
    current: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if current is None:
            return
        yield current
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )


def _from_answer(error: BaseException) -> ErrorCode | None:
    status = status_of(error)
    words = list(words_of(error))
    code = next((_BY_WORD[word] for word in words if word in _BY_WORD), None)
    if code not in {None, ErrorCode.REQUEST_REFUSED, ErrorCode.PROVIDER_FAILED} and (
        status is None or status < 500
    ):
        # 403 with `model_not_found` and the like: where the status says enough, it is asked below.
        return _BY_STATUS.get(status, code) if status in {401, 403} else code
    if status is None and code is None:
        return None
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status is not None and status >= 500:
        return ErrorCode.PROVIDER_FAILED
    if code is ErrorCode.PROVIDER_FAILED:
        return code
    text = str(error)
    if _TOO_LONG.search(text):
        return ErrorCode.CONTEXT_TOO_LONG
    if _FILTERED.search(text):
        return ErrorCode.CONTENT_FILTERED
    if code is None and (status is None or status < 400):
        return None
    return ErrorCode.REQUEST_REFUSED


def status_of(error: BaseException) -> int | None:
    """Find the HTTP status; an error in the middle of a stream has that of the stream, 200."""
    response = getattr(error, "response", None)
    for value in (
        getattr(error, "status_code", None),
        getattr(error, "code", None),
        getattr(response, "status_code", None),
    ):
        number = getattr(value, "value", value)
        if isinstance(number, int) and not isinstance(number, bool) and 400 <= number < 600:
            return number
    return None


def words_of(error: BaseException) -> Iterator[str]:
    """Yield what a provider calls an error itself."""
    for name in ("code", "type", "status"):
        value = getattr(error, name, None)
        if isinstance(value, str):
            yield value.lower()
    if type(error) is ValueError:
        # LangChain makes "code: message" of an error in the middle of OpenAI's Responses.
        yield str(error).partition(":")[0]
    body = getattr(error, "body", None)
    for _ in range(2):
        if not isinstance(body, Mapping):
            return
        for name in ("code", "type"):
            value = body.get(name)
            if isinstance(value, str):
                yield value.lower()
        body = body.get("error")


def _from_class(error: BaseException, table: Mapping[str, ErrorCode]) -> ErrorCode | None:
    for kind in type(error).__mro__:
        if kind.__name__ in table:
            return table[kind.__name__]
    if table is _BY_CLASS:
        if isinstance(error, TimeoutError):
            return ErrorCode.PROVIDER_TIMEOUT
        if isinstance(error, ConnectionRefusedError | socket.gaierror | ssl.SSLError):
            return ErrorCode.PROVIDER_UNREACHABLE
        if isinstance(error, ConnectionResetError | BrokenPipeError):
            return ErrorCode.PROVIDER_FAILED
        if type(error) is ConnectionError:  # what the Ollama client makes of a refused connection
            return ErrorCode.PROVIDER_UNREACHABLE
    return None


_KEY_LIKE = re.compile(
    r"""
    \b(?:sk|pk|rk|gsk|xai|hf|r8|tvly|lsv2)[-_][A-Za-z0-9_\-*.]{4,}
    | \bAIza[A-Za-z0-9_\-]{10,}
    | \beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-.]+
    | (?<=Bearer\ )[^\s'",}\]]+
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)
    | (?:(?<=api-key:\ )|(?<=api_key=)|(?<=[?&]key=))[^\s'",&}\]]+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)$", re.IGNORECASE)
_MASK = "[key]"


def mask_keys(text: str, secrets: Iterable[str] = ()) -> str:
    """Take everything out of a text that is a key, or looks like one.

    :param text: what goes to the log.
    :param secrets: keys that are known; those in the environment are looked up as well.
    """
    known = {secret for secret in secrets if secret}
    known.update(
        value
        for name, value in os.environ.items()
        if len(value) >= 6 and _SECRET_NAME.search(name)
    )
    for secret in sorted(known, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    return _KEY_LIKE.sub(_MASK, text)
