"""Long chats in the real page: what a reload brings, and when."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

WORDS = "The keeper lit the lamp again, and the ships went by in the dark. "


def _import_chat(lab: Lab, title: str, messages: list[dict[str, Any]]) -> str:
    """Put a chat into the history; return its id."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{lab.port}/api/stop-chat/chats",
        json.dumps({"chat": {"title": title}, "messages": messages}).encode(),
        {"Authorization": f"token {lab.token}"},
    )
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["id"])


def _turns(count: int, length: int, **of_first: Any) -> list[dict[str, Any]]:
    """Make questions and answers of so many characters."""
    messages: list[dict[str, Any]] = []
    for at in range(2 * count):
        role = "assistant" if at % 2 else "user"
        begin, end = f"{role} {at // 2} begins. ", f"{role} {at // 2} ends here."
        middle = (f"{WORDS * 8}\n\n" * (length // 500)) if at % 2 else WORDS
        text = begin + middle + end
        ids = [f"{n:08x}-0000-4000-8000-0000000000aa" for n in (at, at - 1)]
        messages.append(
            {
                "id": ids[0],
                "chat_id": "00000000-0000-4000-8000-0000000000c0",
                "role": role,
                "text": text,
                "text_length": len(text),
                "state": "completed",
                "created_at": "2026-01-01T00:00:00Z",
                **({"reply_to": ids[1]} if at else {}),
                **(of_first if at < 2 else {}),
            }
        )
    return messages


def _show(chat: ChatPage, title: str) -> None:
    """Open a chat from the list."""
    chat.page.locator(".jp-StopChat-chatsButton").click()
    chat.page.locator(".jp-StopChat-chats").get_by_text(title, exact=True).click()
    expect(chat.replies.last).to_be_visible()


def _bodies(chat: ChatPage) -> list[str]:
    """Return the texts of the replies, as far as they are on the page."""
    texts: list[str] = chat.replies.locator(".jp-StopChat-body").evaluate_all(
        "nodes => nodes.map(node => node.textContent)"
    )
    return texts


@pytest.mark.parametrize(
    ("count", "length"),
    [
        (4, 125_000),
        pytest.param(4, 500_000, marks=pytest.mark.stress),
        pytest.param(40, 500_000, marks=pytest.mark.stress),
    ],
)
def test_a_long_chat_is_there_after_a_reload(chat: ChatPage, count: int, length: int) -> None:
    """B5, J3: 0.5, 2 and 20 MB; the newest end at once, the rest when it is scrolled to."""
    title = f"Lighthouses of {count * length}"
    _import_chat(chat.lab, title, _turns(count, length))
    _show(chat, title)
    chat.load_again()
    expect(chat.replies).to_have_count(count)
    last = count - 1
    expect(chat.replies.nth(last).locator(".jp-StopChat-body")).to_contain_text(
        f"assistant {last} ends here."
    )
    chat.shot(f"long-chat-{count * length}")
    # What is not there says so, also to a screen reader.
    for at in range(count):
        reply = chat.replies.nth(at)
        busy, missing = reply.evaluate(
            """node => [node.getAttribute('aria-busy'),
              node.querySelectorAll('.jp-StopChat-missing').length]"""
        )
        assert (busy == "true") == (missing > 0)
    for at in (0, last):
        place = chat.replies.nth(at)
        # A person scrolls on as the text comes: what is far from the view is not had unasked.
        chat.page.wait_for_function(
            """at => {
              const node = document.querySelectorAll('[data-role=assistant]')[at];
              node.scrollIntoView({block: 'end'});
              return node.textContent.includes(`assistant ${at} ends here.`);
            }""",
            arg=at,
        )
        expect(place).to_have_attribute("aria-busy", "false")
        assert f"assistant {at} begins." in _bodies(chat)[at]


def test_long_thoughts_and_attachments_come_when_they_are_unfolded(chat: ChatPage) -> None:
    """V8, B5: their names are in the list."""
    attached = [{"name": "log.txt", "text": f"{WORDS * 900}The log ends."}]
    messages = _turns(2, 1000)
    messages[0]["attachments"] = attached
    messages[1]["reasoning"] = f"{WORDS * 900}The thought ends."
    _import_chat(chat.lab, "Unfolding", messages)
    _show(chat, "Unfolding")
    assert not chat.sent_of("read")
    for summary, words in (("log.txt", "The log ends."), ("Thoughts", "The thought ends.")):
        # By a key: what is clicked may still move, as the text before it is being laid out.
        chat.page.locator("summary").filter(has_text=summary).first.press("Enter")
        expect(chat.page.locator("details[open]").filter(has_text=words)).to_be_visible()
    expect(chat.page.locator(".jp-StopChat-missing")).to_have_count(0)
    chat.shot("unfolded")
