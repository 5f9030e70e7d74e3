"""What later turns are told of calls: valid for every provider, whatever stopped them (N11)."""

from __future__ import annotations

import uuid
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_stop_chat.chat_handlers.langchain.messages import history
from jupyter_stop_chat.chat_handlers.langchain.trimming import fitted
from jupyter_stop_chat.engine.tools.telling import NOT_BEGUN, STOPPED, as_text
from jupyter_stop_chat.engine.turn.thread import turn_messages
from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.wire.objects import Message, MessageState, Receipt
from tests.examples import examples
from tests.providers.chat_models import make_model
from tests.providers.strict import check_anthropic, check_chat, check_responses, pairs, refusal

WHEN = "2026-01-01T00:00:00Z"
TOOL = {
    "type": "function",
    "function": {"name": "act", "parameters": {"type": "object", "properties": {}}},
}
MODELS = [
    (check, make_model(kind, "http://127.0.0.1:9").bind_tools([TOOL]))
    for kind, check in (
        ("openai", check_chat),
        ("responses", check_responses),
        ("anthropic", check_anthropic),
    )
]
STATES = ["asked", "waiting", "running", "completed", "failed", "refused", "interrupted"]
CALLS = st.lists(
    st.builds(
        Told,
        step=st.integers(1, 3),
        at=st.integers(0, 30),
        call_id=st.sampled_from(["", "a", "call_1", "a b", "é" * 90]),
        name=st.sampled_from(["act", "", "functions.act", "x" * 90]),
        args=st.sampled_from(["{}", '{"x": 1}', '{"x": ', "", "[1]", "null"]),
        state=st.sampled_from(STATES),
        result=st.sampled_from([None, "", "done", "two\nlines"]),
    ),
    max_size=4,
).map(lambda calls: sorted(calls, key=lambda each: (each.step, each.at)))
TEXTS = st.sampled_from(["", " \n", "Well.", "One 🗼 two.  ", "<think>Hm.</think>\n\nYes."])
TURNS = st.lists(
    st.tuples(
        TEXTS,
        CALLS,
        st.sampled_from([MessageState.COMPLETED, MessageState.INTERRUPTED, MessageState.FAILED]),
        st.booleans(),
    ),
    max_size=4,
)


def a_message(role: Any, text: str, state: MessageState, discarded: bool = False) -> Message:
    stop = Receipt(requested_at=WHEN, discarded=discarded)
    return Message(
        id=str(uuid.uuid4()),
        chat_id="00000000-0000-4000-8000-000000000001",
        role=role,
        text=text,
        text_length=len(text.encode("utf-16-le")) // 2,
        state=state,
        created_at=WHEN,
        mode="agent",
        stop=stop if state is MessageState.INTERRUPTED else None,
    )


@given(TURNS)
@settings(max_examples=examples(60))
def test_whatever_was_called_the_next_turn_is_valid(turns: Any) -> None:
    """N11: on OpenAI's and Anthropic's wire; as text as well; and however much is left out."""
    thread: list[Message] = []
    calls: dict[str, list[Told]] = {}
    for text, made, state, discarded in turns:
        reply = a_message("assistant", text, state, discarded)
        calls |= {reply.id: made} if made else {}
        thread += [a_message("user", "Do it.", MessageState.COMPLETED), reply]
    thread += [a_message("user", "And?", MessageState.COMPLETED)]
    said = turn_messages(thread, None, calls, with_tools=True)
    assert [each.role for each in said] == ["user", "assistant"] * (len(said) // 2) + ["user"]
    kept = [each for each in thread if each.id in calls and not each.discarded]
    told = sum(len(calls[each.id]) for each in kept)
    assert sum(len(each.calls) for each in said) == told
    for check, model in MODELS:
        body = model.bound._get_request_payload(history(said, system="Act."), **model.kwargs)
        assert refusal(check, body) is None
        assert len(list(pairs(body))) == told
        fewer = history(fitted(said, 20))
        assert refusal(check, model.bound._get_request_payload(fewer, **model.kwargs)) is None
    plain = turn_messages(thread, None, calls)
    assert [each.role for each in plain] == [each.role for each in said]
    assert all(each.text.strip() and not each.calls for each in plain)


def test_calls_without_an_answer_say_how_they_were_stopped() -> None:
    """N9, N11."""
    reply = a_message("assistant", "First. Then", MessageState.INTERRUPTED)
    made = [Told(1, 6, str(at), "act", "{}", state) for at, state in enumerate(STATES)]
    asked = a_message("user", "?", MessageState.COMPLETED)
    (_, said, _) = turn_messages([asked, reply, asked], None, {reply.id: made}, with_tools=True)
    assert [each.result for each in said.calls] == [NOT_BEGUN] * 2 + [STOPPED] * 5
    assert said.text == "First. Then"


def test_long_calls_are_told_short_as_text() -> None:
    call = Told(1, 6, "a", "act", '{"x": 1}', "completed", "r\n" * 2000)
    text = as_text("First. Then.", [call])
    assert text.startswith("First.\n\n[Tool act, called with {")
    assert text.endswith("(and 3,000 more characters)]\n\nThen.")
    assert len(text) < 2200
