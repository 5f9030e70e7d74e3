"""Decide which code of the closed table an error of a provider, or of its client library, is."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Mapping

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.secrets import mask_for_people, mask_keys

from . import words
from .answers import Answer, answer_of, answer_on_the_wire, causes

#: A gateway's sentence, and that of the provider behind it.
_MOST_SENTENCES = 3
#: So much of an exception's words is read for the log, in characters.
_MOST_DETAIL = 20_000

_BY_STATUS = {
    401: ErrorCode.KEY_REFUSED,
    402: ErrorCode.QUOTA_EXCEEDED,
    403: ErrorCode.FORBIDDEN,
    405: ErrorCode.WRONG_ADDRESS,
    407: ErrorCode.PROVIDER_UNREACHABLE,
    408: ErrorCode.PROVIDER_TIMEOUT,
    413: ErrorCode.CONTEXT_TOO_LONG,
    421: ErrorCode.WRONG_ADDRESS,
    426: ErrorCode.WRONG_ADDRESS,
    429: ErrorCode.RATE_LIMITED,
    498: ErrorCode.PROVIDER_FAILED,
    501: ErrorCode.WRONG_ADDRESS,
    504: ErrorCode.PROVIDER_TIMEOUT,
    507: ErrorCode.PROVIDER_MEMORY,
    # of Cloudflare, which waited for the provider's server
    524: ErrorCode.PROVIDER_TIMEOUT,
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
    "TooManyRedirects": ErrorCode.WRONG_ADDRESS,
    "UnsupportedProtocol": ErrorCode.WRONG_ADDRESS,
    "InvalidURL": ErrorCode.WRONG_ADDRESS,
    "ClientConnectorError": ErrorCode.PROVIDER_UNREACHABLE,
    "LocalProtocolError": ErrorCode.INVALID_KEY,
}

#: Asked last, as its causes say it better.
_VAGUE = {"APIConnectionError": ErrorCode.PROVIDER_UNREACHABLE}

#: What a name alone does not decide: the status, or the sentence, says it better.
_WEAK = frozenset({ErrorCode.REQUEST_REFUSED, ErrorCode.PROVIDER_FAILED})


def code_of(error: BaseException) -> ErrorCode:
    """Find the code of the table for an exception of a provider or of its client library."""
    chain = list(causes(error))
    for one in chain:
        if isinstance(one, StopChatError):
            return one.code
    for one in chain:
        code = _meaning(answer_of(one))
        if code is not None:
            return code
    for table in (_BY_CLASS, _VAGUE):
        for one in chain:
            code = _from_class(one, table)
            if code is not None:
                return code
    for one in chain:
        # A sentence without a status: only what it could be about nothing else.
        code = _from_sentence(str(one)[:20_000])
        if code is not None:
            return code
    return ErrorCode.GENERATION_FAILED


def code_of_wire(status: int | None, body: object) -> ErrorCode:
    """Find the code for an error that was read from the wire, whatever its shape.

    :param status: of the answer; that of a stream which began well counts for nothing.
    :param body: the error, or what holds it: an object, a list, a sentence.
    """
    return _meaning(answer_on_the_wire(status, body)) or ErrorCode.GENERATION_FAILED


def stop_chat_error(
    error: BaseException, secrets: Iterable[str] = (), *, tells: bool = False
) -> StopChatError:
    """Make the error that a client may be told of; raise it `from` the other.

    :param error: what a provider's library raised.
    :param secrets: keys that must not be in the log.
    :param tells: whether what was answered is a model's provider's word, and no other server's.
    """
    if isinstance(error, StopChatError):
        return error
    secrets = list(secrets)
    detail = mask_keys(f"{type(error).__name__}: {error}", secrets, _MOST_DETAIL)
    said = said_by(error, secrets) if tells else None
    return StopChatError(code_of(error), detail[:2000], said)


def said_by(error: BaseException, secrets: Iterable[str] = ()) -> str | None:
    """Return a provider's own sentences, as they may be shown; None where it said none.

    Only what stood in its answer: never the words of an exception, and no web page.

    :param secrets: keys that must not be in them.
    """
    for one in causes(error):
        if said := _said(answer_of(one), secrets):
            return said
    return None


def said_on_the_wire(status: int | None, body: object, secrets: Iterable[str] = ()) -> str | None:
    """Return the provider's own sentences in an answer as it came; None where there are none."""
    return _said(answer_on_the_wire(status, body), secrets)


def _said(answer: Answer, secrets: Iterable[str]) -> str | None:
    if not answer.said or answer.is_page:
        return None
    return mask_for_people(" ".join(answer.said[:_MOST_SENTENCES]), secrets) or None


def _meaning(answer: Answer) -> ErrorCode | None:
    """Decide what an answer means; None: it is no answer, or says nothing."""
    if not answer.is_one:
        return None
    status, text = answer.status, answer.text
    if answer.is_page:
        return _of_page(status, text)
    named = [words.BY_NAME[name] for name in answer.names if name in words.BY_NAME]
    strong = next((code for code in named if code not in _WEAK), None)
    if strong is ErrorCode.FORBIDDEN and status in {None, 401, 403} and words.KEY.search(text):
        strong = ErrorCode.KEY_REFUSED
    return (
        _of_sentence(status, text, strong)
        or _of_name(status, strong)
        or _of_status(answer)
        or (named[0] if named else None)
        or (_from_sentence(text) or ErrorCode.PROVIDER_FAILED if answer.has_body else None)
    )


def _of_sentence(status: int | None, text: str, strong: ErrorCode | None) -> ErrorCode | None:
    """Look for what a sentence says whatever the status: the rare first, the common last."""
    if _is_bigger_than_rate(status, text):
        return ErrorCode.CONTEXT_TOO_LONG
    if _is_quota(status, text, strong):
        return ErrorCode.QUOTA_EXCEEDED
    if status == 429 or strong is ErrorCode.RATE_LIMITED:
        return ErrorCode.RATE_LIMITED
    if words.MEMORY.search(text):
        return ErrorCode.PROVIDER_MEMORY
    if status in {401, 403}:
        return _of_refusal(status, text, strong)
    if _is_too_long(text):
        return ErrorCode.CONTEXT_TOO_LONG
    if strong not in {None, ErrorCode.MODEL_NOT_FOUND}:
        return None
    if status not in {408, 504} and words.KEY.search(text):
        return ErrorCode.KEY_REFUSED
    if words.NOT_REACHED.search(text):
        return ErrorCode.PROVIDER_UNREACHABLE
    if status is not None and status >= 500 and status != 501:
        return ErrorCode.MODEL_NOT_FOUND if words.MODEL_FOR_SURE.search(text) else None
    for pattern, code in (
        (words.ELSEWHERE, ErrorCode.FORBIDDEN),
        (words.FILTERED, ErrorCode.CONTENT_FILTERED),
        (words.MODEL, ErrorCode.MODEL_NOT_FOUND),
        (words.ADDRESS, ErrorCode.WRONG_ADDRESS),
        (words.CRASHED, ErrorCode.PROVIDER_FAILED),
    ):
        if strong is code or pattern.search(text):
            return code
    return None


def _is_quota(status: int | None, text: str, strong: ErrorCode | None) -> bool:
    if strong is ErrorCode.QUOTA_EXCEEDED or status == 402 or words.NO_MONEY.search(text):
        return True
    # Google says "quota" of what is to be waited for by the minute.
    passes = strong is ErrorCode.RATE_LIMITED and (
        words.PER_TIME.search(text) or "resource_exhausted" in text.lower()
    )
    # `insufficient_quota` among other words is the same as `insufficient quota`.
    return not passes and words.QUOTA.search(text.replace("_", " ")) is not None


def _of_refusal(status: int, text: str, strong: ErrorCode | None) -> ErrorCode:
    """Tell a wrong key from one that may not do this."""
    if words.NOT_ALLOWED.search(text) or words.ELSEWHERE.search(text):
        return ErrorCode.FORBIDDEN
    if strong is ErrorCode.KEY_REFUSED or words.KEY.search(text):
        return ErrorCode.KEY_REFUSED
    if words.FILTERED.search(text) or strong is ErrorCode.CONTENT_FILTERED:
        return ErrorCode.CONTENT_FILTERED
    return _BY_STATUS[status]


def _of_name(status: int | None, strong: ErrorCode | None) -> ErrorCode | None:
    return strong if status is None or status < 500 else None


def _of_status(answer: Answer) -> ErrorCode | None:
    status = answer.status
    if status is None:
        return None
    if status == 404:
        # No model is named: it is the path that is not there.
        elsewhere = answer.has_body and not words.NAMES_MODEL.search(answer.text)
        return ErrorCode.WRONG_ADDRESS if elsewhere else ErrorCode.MODEL_NOT_FOUND
    if status < 400:
        return ErrorCode.WRONG_ADDRESS
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return ErrorCode.PROVIDER_FAILED if status >= 500 else ErrorCode.REQUEST_REFUSED


def _of_page(status: int | None, text: str) -> ErrorCode:
    """Decide for a web page: where one answers, no model does, but for a gateway in between."""
    if status is None or status in {400, 404} or status < 400:
        return ErrorCode.WRONG_ADDRESS
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return ErrorCode.PROVIDER_FAILED if status >= 500 else ErrorCode.REQUEST_REFUSED


def _from_sentence(text: str) -> ErrorCode | None:
    """Look for what a sentence says that comes with nothing else."""
    if _is_bigger_than_rate(None, text):
        return ErrorCode.CONTEXT_TOO_LONG
    if words.QUOTA.search(text.replace("_", " ")):
        return ErrorCode.QUOTA_EXCEEDED
    if words.MEMORY.search(text):
        return ErrorCode.PROVIDER_MEMORY
    if _is_too_long(text):
        return ErrorCode.CONTEXT_TOO_LONG
    for pattern, code in (
        (words.KEY, ErrorCode.KEY_REFUSED),
        (words.RATE, ErrorCode.RATE_LIMITED),
        (words.BUSY, ErrorCode.PROVIDER_FAILED),
        (words.MODEL_FOR_SURE, ErrorCode.MODEL_NOT_FOUND),
        (words.ADDRESS, ErrorCode.WRONG_ADDRESS),
    ):
        if pattern.search(text):
            return code
    return None


def _is_too_long(text: str) -> bool:
    return (
        words.TOO_LONG.search(text) is not None
        and words.ONLY_OUTPUT.search(text) is None
        and words.ONLY_OTHER.search(text) is None
        and words.PER_TIME.search(text) is None
    )


def _is_bigger_than_rate(status: int | None, text: str) -> bool:
    """Tell whether a request by itself is over the limit of a minute, so that no wait helps."""
    if words.PER_TIME.search(text) is None:
        return False
    if words.BIGGER_THAN_RATE.search(text) or status == 413:
        return True
    for limit, asked in words.ASKED_OF_LIMIT.findall(text):
        if int(asked.replace(",", "") or 0) > int(limit.replace(",", "") or 0):
            return True
    return False


def _from_class(error: BaseException, table: Mapping[str, ErrorCode]) -> ErrorCode | None:
    if table is _BY_CLASS and words.OTHER_PROTOCOL.search(str(error)):
        return ErrorCode.WRONG_ADDRESS
    for kind in type(error).__mro__:
        if kind.__name__ in table:
            return table[kind.__name__]
    if table is not _BY_CLASS:
        return None
    if isinstance(error, TimeoutError):
        return ErrorCode.PROVIDER_TIMEOUT
    if isinstance(error, UnicodeEncodeError):  # a key that no header can carry
        return ErrorCode.INVALID_KEY
    if isinstance(error, ConnectionRefusedError | socket.gaierror | ssl.SSLError):
        return ErrorCode.PROVIDER_UNREACHABLE
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return ErrorCode.PROVIDER_FAILED
    if type(error) is ConnectionError:  # what the Ollama client makes of a refused connection
        return ErrorCode.PROVIDER_UNREACHABLE
    return None
