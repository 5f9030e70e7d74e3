"""What a model is told of a chat, so that it is valid for every provider."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_stop_chat.ports.handler import TurnMessage
from jupyter_stop_chat.ports.thoughts import without_thought
from jupyter_stop_chat.wire.objects import Message


def turn_messages(thread: Sequence[Message]) -> list[TurnMessage]:
    """Turn a thread into a history that ends with the prompt.

    Roles alternate and nothing is empty: providers refuse an empty assistant message. A turn
    that was stopped or failed before its first word is left out whole, so is one that was
    discarded; the person has its prompt back and will have sent what they meant.

    :param thread: messages along `reply_to`, oldest first; the last one may be the reply that
        is being made.
    """
    messages = list(thread)
    if messages and messages[-1].role == "assistant":
        messages.pop()
    told: list[Message] = []
    for position, message in enumerate(messages):
        reply = messages[position + 1] if position + 1 < len(messages) else None
        if message.role == "user" and reply is not None and not _worth_telling(reply):
            continue
        if message.role == "assistant" and not _worth_telling(message):
            continue
        told.append(message)
    history: list[TurnMessage] = []
    for message in told:
        text = _answer(message) if message.role == "assistant" else prompt_text(message)
        if history and history[-1].role == message.role:
            before = history.pop()
            history.append(TurnMessage(message.role, f"{before.text}\n\n{text}", before.id))
        else:
            history.append(TurnMessage(message.role, text, message.id))
    while history and history[0].role == "assistant":
        history.pop(0)
    return history


def prompt_text(message: Message) -> str:
    """Return a prompt with its attachments, as the model reads it."""
    parts = [message.text]
    for attachment in message.attachments:
        fence = "```"
        while fence in attachment.text:
            fence += "`"
        parts.append(f"{attachment.name}:\n{fence}\n{attachment.text}\n{fence}")
    return "\n\n".join(parts)


def _answer(message: Message) -> str:
    """Return a reply without a thought that was kept in it: older and imported ones have some."""
    return without_thought(message.text).rstrip()


def _worth_telling(reply: Message) -> bool:
    if reply.role == "user":
        return True
    return bool(_answer(reply)) and not reply.discarded
