"""What a message is claimed with when its generation has ended."""

from __future__ import annotations

import logging
import traceback

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError, new_error_id
from jupyter_stop_chat.wire.protocol import ErrorInfo, MessageState, Usage
from jupyter_stop_chat.wire.usage import tokens, total

from .generation import Generation

log = logging.getLogger(__name__)


def settlement(generation: Generation) -> Settlement:
    """Decide how a generation ended: stopped, failed, or complete.

    A stop that came before the end wins, whatever the task did after it.
    """
    usage = generation.usage
    if generation.stop is not None:
        state, error = MessageState.INTERRUPTED, None
        usage = total(generation.used_before, estimated(generation))
    elif generation.failure is not None:
        state, error = MessageState.FAILED, failure_info(generation.failure, generation)
        usage = total(generation.used_before, estimated(generation))
    elif _is_empty(generation):
        state = MessageState.FAILED
        error = failure_info(StopChatError(ErrorCode.EMPTY_REPLY), generation)
    elif generation.finish_reason == "cut_off":
        # What its provider never ended is not complete, and nothing says that it failed.
        state, error = MessageState.INTERRUPTED, None
        usage = total(generation.used_before, estimated(generation))
    else:
        state, error = MessageState.COMPLETED, None
        usage = total(generation.used_before, estimated(generation))
    return Settlement(
        state=state,
        keep=generation.text.length,
        keep_reasoning=generation.reasoning.length,
        usage=usage,
        stop=generation.receipt(),
        error=error,
        finish_reason=generation.finish_reason if generation.stop is None else None,
        tools=tuple(generation.tools.values()),
    )


def _is_empty(generation: Generation) -> bool:
    """Tell whether the model answered with nothing, and nothing says why.

    What went into thinking up to the model's limit, or until the stream broke off, is something.
    """
    if generation.text.length or generation.tools:
        return False
    thought = generation.reasoning.length > 0
    reason = generation.finish_reason
    return not (reason == "length" or (reason == "cut_off" and thought))


def estimated(generation: Generation) -> Usage | None:
    """Count the tokens of what was read and made just now, or estimate them (B9).

    A reply that ended before its end was, for most providers, never counted, and some providers
    never count.
    """
    used = generation.used
    made = (
        generation.text.length
        - generation.prefix_length
        + generation.reasoning.length
        - generation.reasoning_before
    )
    if made <= 0 or (used is not None and used.output_tokens is not None):
        return used
    read = used.input_tokens if used else None
    if read is None and generation.told:
        read = tokens(_read(generation))
    return Usage(
        input_tokens=read,
        output_tokens=tokens(made),
        estimated=True,
        sent_from=used.sent_from if used else None,
    )


def _read(generation: Generation) -> int:
    """Return the length of what was sent to the model, in UTF-16 code units."""
    first = generation.used.sent_from if generation.used else None
    ids = [message_id for message_id, _ in generation.told]
    begin = ids.index(first) if first in ids else 0
    return sum(length for _, length in generation.told[begin:]) + generation.prefix_length


def failure_info(failure: StopChatError, generation: Generation) -> ErrorInfo:
    """Write a failure to the log, and return what a person may know of it."""
    error_id = new_error_id()
    # A provider's refusal is one line, whatever it says: what has lines of its own could look like
    # the log's.
    words = " ".join(str(failure).split())
    if (cause := failure.__cause__) is not None and (name := type(cause).__name__) not in words:
        words += f" ({name})"
    log.warning("error %s: the model %s failed: %s", error_id, generation.model, words)
    if (where := _where(cause)) is not None:
        unknown = failure.code in {ErrorCode.GENERATION_FAILED, ErrorCode.INTERNAL}
        log.log(logging.WARNING if unknown else logging.DEBUG, "error %s: %s", error_id, where)
    return ErrorInfo(code=failure.code, message=failure.sentence, error_id=error_id)


def _where(cause: BaseException | None) -> str | None:
    """Tell where an exception came from, without its own words: they can hold a key."""
    if cause is None:
        return None
    frames = "".join(traceback.format_tb(cause.__traceback__))
    return f"{type(cause).__name__} at\n{frames}"
