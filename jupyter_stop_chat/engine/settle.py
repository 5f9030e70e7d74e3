"""What a message is claimed with when its generation has ended."""

from __future__ import annotations

import logging

from jupyter_stop_chat.errors import ErrorCode, StopChatError, new_error_id
from jupyter_stop_chat.generation import Generation
from jupyter_stop_chat.protocol import ErrorInfo, MessageState, Usage
from jupyter_stop_chat.store.base import Settlement

log = logging.getLogger(__name__)

#: Characters a token, where the provider did not count: the rule of thumb that OpenAI gives
#: for English text.
CHARACTERS_PER_TOKEN = 4


def settlement(generation: Generation) -> Settlement:
    """Decide how a generation ended: stopped, failed, or complete.

    A stop that came before the end wins, whatever the task did after it.
    """
    usage = generation.usage
    if generation.stop is not None:
        state, error = MessageState.INTERRUPTED, None
        if usage is None or usage.output_tokens is None:
            usage = estimated(generation)
    elif generation.failure is not None:
        state, error = MessageState.FAILED, failure_info(generation.failure, generation)
    elif generation.text.length == 0 and not generation.tools:
        state = MessageState.FAILED
        error = failure_info(StopChatError(ErrorCode.EMPTY_REPLY), generation)
    else:
        state, error = MessageState.COMPLETED, None
    return Settlement(
        state=state,
        keep=generation.text.length,
        usage=usage,
        stop=generation.receipt(),
        error=error,
        tools=tuple(generation.tools.values()),
    )


def estimated(generation: Generation) -> Usage | None:
    """Estimate the tokens of a reply that ended before its provider counted them (B9)."""
    made = generation.text.length + generation.reasoning.length - generation.prefix_length
    if made <= 0:
        return generation.usage
    before = generation.usage.input_tokens if generation.usage else None
    return Usage(
        input_tokens=before,
        output_tokens=max(1, round(made / CHARACTERS_PER_TOKEN)),
        estimated=True,
    )


def failure_info(failure: StopChatError, generation: Generation) -> ErrorInfo:
    """Write a failure to the log, and return what a person may know of it."""
    error_id = new_error_id()
    log.warning(
        "error %s: the model %s failed: %s",
        error_id,
        generation.model,
        failure,
        exc_info=failure.__cause__,
    )
    return ErrorInfo(code=failure.code, message=failure.sentence, error_id=error_id)
