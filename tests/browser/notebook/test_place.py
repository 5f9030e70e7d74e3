"""The chat knows where the person is, and what their prompt names: in a real notebook."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.axe import AXE, THEMES, violations
from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab
from tests.browser.notebook.test_magics import cell_of, open_notebook, run_cell
from tests.pictures import drawn
from tests.providers import OpenAIProvider, Script

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("closed")]

#: Many variables, and some whose own code never ends.
MANY = """
for n in range(5000):
    globals()[f'many_{n}'] = n

class Meta(type):
    def __eq__(cls, other):
        while True: pass
    __hash__ = __getattribute__ = __eq__

class Odd(metaclass=Meta):
    __module__ = 'json'
    def __len__(self):
        while True: pass
    __repr__ = shape = __len__

def globals():
    while True: pass

odd = Odd()
lamp, rows = 'lit', [1, 2]
"""


class Beside:
    """A chat beside a notebook, and what its model is asked."""

    def __init__(self, chat: ChatPage, provider: OpenAIProvider) -> None:
        self.chat, self.provider = chat, provider
        self.chip = chat.page.locator(".jp-StopChat-place")
        self.options = chat.panel.get_by_role("option")
        self.notice = chat.page.locator(".jp-StopChat-notice")

    def ask(self, prompt: str) -> Any:
        """Send a prompt, and return what the model was asked."""
        self.provider.script = Script(tokens=["I ", "see."])
        count = self.chat.replies.count()
        self.chat.ask(prompt)
        expect(self.chat.replies).to_have_count(count + 1)
        expect(self.chat.reply()).to_have_text("I see.")
        self.chat.expect_mode("send")
        return self.asked()

    def asked(self) -> Any:
        return self.provider.requests[-1].body["messages"][-1]["content"]

    def write(self, words: str) -> None:
        """Type words behind what stands in the input, key by key."""
        self.chat.input.press_sequentially(words)

    def refused(self, prompt: str, sentence: str) -> None:
        """Send a prompt that is refused: nothing is sent, and it stays."""
        requests = len(self.provider.requests)
        self.chat.ask(prompt)
        expect(self.notice).to_contain_text(sentence)
        expect(self.chat.input).to_have_value(prompt)
        self.chat.expect_mode("send")
        assert len(self.provider.requests) == requests
        self.notice.get_by_role("button", name="Dismiss").click()


@pytest.fixture
def beside(chat: ChatPage, provider: OpenAIProvider) -> Beside:
    # Each notebook begins with a kernel of its own.
    chat.page.evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")
    return Beside(chat, provider)


def _sent_texts(chat: ChatPage) -> Locator:
    chat.page.get_by_role("button", name="Actions for this reply", exact=True).last.click()
    chat.page.get_by_role("menuitem", name="What Was Sent…").click()
    return chat.page.locator(".jp-StopChat-sentTexts pre")


def _contexts(chat: ChatPage) -> list[dict[str, Any]]:
    """Return the contexts of the prompt that was sent last."""
    attached = chat.sent_of("send")[-1].get("attachments", [])
    return [each for each in attached if each.get("kind") == "context"]


def test_a_prompt_tells_where_the_person_is(beside: Beside, lab: Lab) -> None:
    """The chip can be read before, and the prompt after it was sent: they are one text.

    What was not saved is in it; a stop does not double it; taken off, it stays off in that chat.
    """
    chat, provider = beside.chat, beside.provider
    expect(beside.chip).to_have_count(0)
    open_notebook(chat, lab, ["lamp = 'lit'", "print(lamp)", "x = 1"])
    run_cell(chat, 0)
    run_cell(chat, 1)
    expect(cell_of(chat, 1).locator(".jp-OutputArea-output")).to_have_text("lit")
    expect(beside.chip).to_contain_text("chat.ipynb, cell 2")
    cell_of(chat, 2).locator(".cm-content").click()
    chat.page.keyboard.press("End")
    expect(beside.chip).to_contain_text("chat.ipynb, cell 3")
    chat.page.keyboard.type("  # not saved")
    name = beside.chip.get_by_role("button", name="Told with the prompt: chat.ipynb, cell 3")
    name.press("Enter")
    expect(name).to_have_attribute("aria-expanded", "true")
    preview = chat.page.locator(".jp-StopChat-placeText pre")
    expect(preview).to_contain_text("x = 1  # not saved")
    shown = preview.text_content() or ""
    assert "of which cell 3 is the active one" in shown
    assert "Cell 2:\n```python\nprint(lamp)\n```\n\nOutput:\n```\nlit\n```" in shown
    chat.page.evaluate(AXE.read_text())
    for theme, colours in THEMES.items():
        chat.theme(colours)
        chat.width(250)
        chat.shot(f"place-open-{theme}-250")
        assert violations(chat) == []
    chat.theme(THEMES["light"])
    chat.width(420)
    asked = beside.ask("What is x?")
    assert asked == f"What is x?\n\nNotebook: chat.ipynb, cell 3:\n````\n{shown}\n````"
    sent = chat.page.locator(".jp-StopChat-sentAttachment")
    expect(sent).to_have_count(1)
    sent.locator("summary").click()
    expect(sent.locator("pre")).to_be_visible()
    assert sent.locator("pre").text_content() == shown
    texts = _sent_texts(chat)
    expect(texts).to_have_count(2)
    system = provider.requests[-1].body["messages"][0]
    assert system["role"] == "system"
    assert texts.all_text_contents() == [system["content"], asked]
    chat.shot("place-what-was-sent")
    chat.page.keyboard.press("Escape")
    name.press("Enter")
    # Stop brings the prompt back, and what it told once.
    provider.script = Script(stall="before_headers")
    chat.ask("And now?")
    chat.expect_mode("stop")
    chat.input.press("Escape")
    expect(chat.input).to_have_value("And now?")
    chat.expect_mode("send")
    cell_of(chat, 0).locator(".cm-content").click()
    expect(beside.chip).to_contain_text("cell 1")
    chat.shot("place-restored")
    asked = beside.ask("And now?")
    assert asked.count("Path: chat.ipynb") == 1
    assert [each["name"] for each in _contexts(chat)] == ["Notebook: chat.ipynb, cell 1"]
    # The same again is told once, at the last prompt.
    beside.ask("And again?")
    before = provider.requests[-1].body["messages"][-3]["content"]
    assert before.endswith("Notebook: chat.ipynb, cell 1: the same as below.")
    # It is off in this chat, after a reload as well, and on in the next one.
    beside.chip.get_by_role("button", name="Do not tell where I am").click()
    expect(beside.chip).to_have_attribute("data-told", "false")
    expect(chat.input).to_be_focused()
    chat.shot("place-off")
    assert beside.ask("And without?") == "And without?"
    chat.new_chat()
    expect(beside.chip).to_have_attribute("data-told", "true")
    beside.chip.get_by_role("button", name="Do not tell where I am").click()
    chat.load_again()
    expect(beside.chip).to_have_attribute("data-told", "false")
    assert beside.ask("In a new one?") == "In a new one?"
    chat.load_again()
    expect(chat.replies).to_have_count(1)
    expect(beside.chip).to_have_attribute("data-told", "false")
    beside.chip.get_by_role("button", name="Tell the model where you are").click()
    assert "Path: chat.ipynb" in beside.ask("And with?")
    # A setting takes it off everywhere.
    chat.set({"tellPlace": False})
    expect(beside.chip).to_have_count(0)
    assert beside.ask("And now without?") == "And now without?"


# Without a page at every run: mentions, files, variables and gatherer.
@pytest.mark.stress
def test_what_a_prompt_names(beside: Beside, lab: Lab) -> None:
    """Chosen by keys and mouse; what is not there is refused, and the prompt stays."""
    chat = beside.chat
    chat.set({"tellPlace": False})
    home = lab.folder / "home"
    (home / "my data").mkdir(exist_ok=True)
    (home / "my data" / "notes.txt").write_text("Lit at dusk.")
    (home / "plot.png").write_bytes(drawn())
    (home / "broken.ipynb").write_text("{no json")
    (home / ".hidden.txt").write_text("A secret.")
    (lab.folder / "outside.txt").write_text("Outside.")
    huge = "print('y' * 10_000_000)\nraise ValueError('no \\x1b[31mred')"
    open_notebook(chat, lab, [MANY, "1 / 0", "import time; time.sleep(60)", "z = 'zed'"])
    run_cell(chat, 0)
    run_cell(chat, 1)
    expect(cell_of(chat, 1).locator(".jp-OutputArea-output")).to_contain_text("ZeroDivisionError")
    chat.page.evaluate(AXE.read_text())
    # By keys: the list opens, is walked through, and closes; Esc does not stop the reply then.
    beside.provider.script = Script(tokens=100_000, rate=60)
    chat.ask("A long one")
    chat.wait_for_text(30)
    beside.write("why @")
    expect(beside.options).to_have_count(7)
    expect(chat.input).to_have_attribute("aria-autocomplete", "list")
    expect(chat.panel.get_by_role("status").filter(has_text="7 suggestions")).to_have_count(1)
    chat.page.keyboard.press("ArrowUp")
    expect(beside.options.last).to_have_attribute("aria-selected", "true")
    active = beside.options.last.get_attribute("id")
    assert active
    expect(chat.input).to_have_attribute("aria-activedescendant", active)
    chat.shot("mention-list")
    assert violations(chat) == []
    chat.page.keyboard.press("Escape")
    expect(beside.options).to_have_count(0)
    chat.expect_mode("stop")
    beside.write("er")
    expect(beside.options).to_have_count(0)
    chat.page.keyboard.press("Escape")
    chat.expect_mode("send")
    chat.page.get_by_role("button", name="Discard the stopped prompt").click()
    chat.input.fill("")
    beside.write("why @er")
    expect(beside.options).to_have_text(["@error the cell that failed last"])
    chat.page.keyboard.press("Enter")
    expect(chat.input).to_have_value("why @error ")
    beside.write("and @cel")
    beside.options.first.click()
    expect(chat.input).to_have_value("why @error and @cell ")
    expect(chat.input).to_be_focused()
    asked = beside.ask(chat.input.input_value())
    assert "@error – cell 2 of chat.ipynb:" in asked
    assert "ZeroDivisionError: division by zero" in asked
    assert "\x1b" not in asked
    assert "@cell – cell 2 of chat.ipynb:\n````\n```python\n1 / 0" in asked
    # A path is completed, in quotes where it needs them.
    beside.write("see @file:my")
    expect(beside.options).to_have_text(["my data/ "])
    chat.page.keyboard.press("Tab")
    expect(chat.input).to_have_value('see @file:"my data/')
    expect(beside.options).to_have_text(["my data/notes.txt "])
    chat.page.keyboard.press("Tab")
    asked = beside.ask(chat.input.input_value())
    assert asked == (
        'see @file:"my data/notes.txt" \n\n@file:my data/notes.txt:\n```\nLit at dusk.\n```'
    )
    # A picture goes as the picture that it is.
    parts = {each["type"]: each for each in beside.ask("see @file:plot.png please")}
    assert "see @file:plot.png please" in parts["text"]["text"]
    assert parts["image_url"]["image_url"]["url"].startswith("data:image/png;base64,")
    # The variables: bounded, with no trace in the notebook.
    asked = beside.ask("@variables please")
    lines = asked.split("```")[1].strip().split("\n")
    assert lines[-3:] == ["lamp: str, length 3", "rows: list, length 2", "(and 4807 older ones)"]
    assert len(lines) == 201
    run_cell(chat, 3)
    expect(cell_of(chat, 3).locator(".jp-InputPrompt")).to_have_text("[3]:")
    # What cannot be had.
    beside.refused("see @file:../outside.txt", "“../outside.txt” is outside the folder of")
    beside.refused("see @file:.hidden.txt", "“.hidden.txt” was not found. Hidden files,")
    beside.refused("see @file:nowhere.txt", "“nowhere.txt” was not found.")
    beside.refused('see @file:"my data"', "“my data” is a folder.")
    beside.refused("see @file:broken.ipynb", "“broken.ipynb” is no notebook that can be read.")
    chat.shot("mention-refused")
    beside.refused("see @selection", "Nothing is selected, so there is nothing for")
    run_cell(chat, 2)
    expect(cell_of(chat, 2).locator(".jp-InputPrompt")).to_have_text("[*]:")
    beside.refused("see @variables", "The kernel is busy, so its variables cannot be asked for")
    chat.page.evaluate("window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    expect(cell_of(chat, 2).locator(".jp-InputPrompt")).not_to_have_text("[*]:")
    # What names nothing is sent as it is.
    plain = "Mail me@cell.org, see /etc/hosts, `@error` and\n@output\ndef f(): ...\n@cellar"
    assert beside.ask(plain) == plain
    assert beside.ask("/etc/hosts is what?") == "/etc/hosts is what?"
    # 10 MB of output do not hold the page up, and are cut.
    _replace(chat, 3, huge)
    run_cell(chat, 3)
    expect(cell_of(chat, 3).locator(".jp-InputPrompt")).to_have_text("[5]:")
    asked = beside.ask("@output @error")
    assert "@output – cell 4" in asked
    assert "ValueError: no" in asked
    assert len(asked) < 12_000
    # A notebook that was closed before the prompt is sent.
    chat.page.evaluate(
        """() => {
          const {shell} = window.jupyterapp;
          for (const widget of [...shell.widgets('main')]) {
            if (widget.context) { widget.context.model.dirty = false; widget.dispose(); }
          }
        }"""
    )
    chat.ask("see @cell")
    expect(beside.notice).to_contain_text("No notebook is open, so there is nothing for “@cell”.")
    beside.notice.get_by_role("button", name="Send as it is").click()
    chat.expect_mode("send")
    expect(chat.reply()).to_have_text("I see.")
    assert beside.asked() == "see @cell"


def _replace(chat: ChatPage, number: int, source: str) -> None:
    chat.page.evaluate(
        """([number, source]) => {
          const all = [...window.jupyterapp.shell.widgets('main')];
          const panel = all.find(one => one.content?.widgets);
          panel.content.widgets[number].model.sharedModel.setSource(source);
        }""",
        [number, source],
    )


def test_commands_behind_a_slash(beside: Beside, lab: Lab) -> None:
    """Ours, and those of another package; narrow and wide, light and dark."""
    chat = beside.chat
    chat.page.evaluate(
        """() => {
          const {pluginRegistry} = window.jupyterapp;
          const find = name => [...pluginRegistry._services.keys()].find(one => one.name === name);
          return window.jupyterapp
            .resolveRequiredService(find('jupyter-stop-chat:IChatCommands'))
            .then(commands => {
              window.takeAway = commands.add({
                name: 'greet', description: 'says hello', run: words => `Hello ${words}`});
            });
        }"""
    )
    beside.write("/")
    expect(beside.options).to_have_count(5)  # without /export: there is no chat yet
    for theme, colours in THEMES.items():
        chat.theme(colours)
        for width in (250, 1_000):
            chat.width(width)
            chat.input.fill("")
            beside.write("/")
            expect(beside.options).to_have_count(5)
            chat.shot(f"commands-{theme}-{width}")
    chat.width(420)
    chat.input.fill("")
    beside.write("/gr")
    expect(beside.options).to_have_text(["/greet says hello"])
    chat.page.keyboard.press("Tab")
    expect(chat.input).to_have_value("Hello ")
    chat.page.evaluate("window.takeAway()")
    chat.input.fill("the loop")
    chat.page.keyboard.press("Home")
    beside.write("/fix ")
    expect(beside.options).to_have_count(0)
    chat.input.fill("")
    beside.write("/fi")
    chat.page.keyboard.press("Enter")
    expect(chat.input).to_have_value("What is wrong here, and how is it fixed? @error")
    chat.input.fill("")
    beside.write("/mo")
    chat.page.keyboard.press("Enter")
    expect(chat.page.locator(".jp-StopChat-search")).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(chat.page.locator(".jp-StopChat-models")).to_have_count(0)
    beside.ask("Hi")
    expect(chat.messages).to_have_count(2)
    beside.write("/clear")
    chat.page.keyboard.press("Enter")
    expect(chat.messages).to_have_count(0)
    expect(chat.input).to_have_value(re.compile("^$"))
    assert json.dumps(chat.sent_of("send")).count("/clear") == 0
