"""The chat's page, as a person's hands and eyes have it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.browser.lab import Lab
from tests.conftest import PATIENCE

#: What JupyterLab begins with: its colours, and the panel's width in pixels.
LIGHT, USUAL_WIDTH = "JupyterLab Light", 420

#: In milliseconds; what a page is waited for is slow where the machine is, and never wrong for it.
WAIT = 1000 * PATIENCE
expect.set_options(timeout=WAIT)

#: Whether the end of the messages is in view.
AT_END = """
() => {
  const list = document.querySelector('.jp-StopChat-list');
  return list.scrollHeight - list.scrollTop - list.clientHeight < 2;
}
"""


class ChatPage:
    """The chat in a JupyterLab page.

    :param artifacts: where screenshots go.
    :param routed: see what goes over the wire, and be able to hold it; it costs script time.
    """

    def __init__(self, page: Page, lab: Lab, artifacts: Path, *, routed: bool = True) -> None:
        self.page = page
        page.set_default_timeout(WAIT)
        self.lab = lab
        self._artifacts = artifacts
        self.panel = page.locator(".jp-StopChat-panel")
        self.input = page.locator(".jp-StopChat-input")
        self.button = page.locator(".jp-StopChat-button")
        self.status = page.locator(".jp-StopChat-status")
        self.stopped_line = page.locator(".jp-StopChat-stoppedLine")
        self.failed_line = page.locator(".jp-StopChat-failedLine")
        self.messages = page.locator(".jp-StopChat-message")
        self.replies = page.locator(".jp-StopChat-message[data-role=assistant]")
        #: The frames that the page sent.
        self.sent: list[dict[str, Any]] = []
        #: What addresses of other hosts may begin with that a test has the page ask for.
        self.allowed: list[str] = []
        #: The notebook that is left open from test to test, if there is one: its path.
        self.kept: str | None = None
        self._held: list[tuple[WebSocketRoute, str]] | None = None
        self._answers: list[tuple[WebSocketRoute, str | bytes]] | None = None
        self._sockets: list[WebSocketRoute] = []
        self._cut = False
        self.queue = page.locator(".jp-StopChat-queued")
        self.chip = page.get_by_role("button", name="Restore prompt")
        self.banner = page.locator(".jp-StopChat-banner")
        self.attached = page.locator(".jp-StopChat-attachments .jp-StopChat-attachment")
        self.toast = page.locator(".jp-StopChat-toast")
        if routed:
            page.route_web_socket("**/api/stop-chat/ws**", self._between)

    def load(self) -> None:
        """Load the page and wait until the chat can be used."""
        self.page.goto(self.lab.url, wait_until="domcontentloaded")
        self._wait_for_start()
        self.wait_for_launcher()
        expect(self.panel).to_be_visible()
        expect(self.input).to_be_editable()
        # The server's first frame has come.
        expect(self.page.locator(".jp-StopChat-model")).to_have_text(re.compile(r"\w"))

    def load_again(self) -> None:
        """Reload the page, as a person does: the layout and the chat come back."""
        self.page.reload(wait_until="domcontentloaded")
        self._wait_for_start()
        expect(self.input.first).to_be_editable()
        # The server's first frame has come.
        expect(self.page.locator(".jp-StopChat-model").first).to_have_text(re.compile(r"\w"))

    def _wait_for_start(self) -> None:
        """Wait until JupyterLab does nothing more by itself, which may be long after the chat.

        When its files are listed, it opens a Launcher where nothing else is open, which takes the
        focus: also where what was open is closed by then.
        """
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")
        expect(self.page.locator(".jp-FileBrowser:not(.jp-mod-restoring)").first).to_be_attached()
        self._wait_for_main_area()

    def _wait_for_main_area(self) -> None:
        """Wait until there is something in the main area; what opens by itself has the focus."""
        in_it = self.page.locator("#jp-main-dock-panel .lm-DockPanel-widget")
        expect(in_it.first).to_be_attached()

    def wait_for_launcher(self) -> None:
        """Wait until the Launcher is there that JupyterLab opens where nothing else is open."""
        expect(self.page.locator(".jp-Launcher-body")).to_be_visible()

    def begin_anew(self) -> None:
        """Begin a new chat as after a load: put away what other tests of the page left."""
        self._held = self._answers = None
        self.allowed.clear()
        self.mend_connection()
        self.set(None)
        self.close_tabs()
        self.page.keyboard.press("Escape")
        for name in ("open", "stop-all", "new"):
            self.page.evaluate(
                "name => window.jupyterapp.commands.execute(name)", f"stop-chat:{name}"
            )
        for left in range(self.chip.count() - 1, -1, -1):  # they go from chat to chat
            self.page.get_by_role("button", name="Discard the stopped prompt").first.click()
            expect(self.chip).to_have_count(left)
        self.clear_draft()
        expect(self.messages).to_have_count(0)
        expect(self.banner).to_have_count(0)
        self.expect_mode("send")
        self.sent.clear()

    def clear_draft(self) -> None:
        """Have nothing in the input, and nothing attached."""
        self.input.fill("")
        for left in range(self.attached.count() - 1, -1, -1):
            self.attached.first.get_by_role("button").click()
            expect(self.attached).to_have_count(left)

    def close_documents(self, but: str | None = None) -> None:
        """Close what is open in the main area, and show the sidebar again.

        :param but: the path of a document that stays.
        """
        self.page.keyboard.press("Escape")
        stays = self.page.evaluate(
            """async but => {
              const {commands, shell} = window.jupyterapp;
              const all = [...shell.widgets('main')];
              for (const {context} of all) {
                if (context) {
                  context.model.dirty = false; // else it is asked whether to save it
                }
              }
              const kept = but && all.find(one => one.context?.path === but);
              if (!kept) {
                await commands.execute('application:close-all');
                return false;
              }
              // each document goes when it has been asked whether it may
              const gone = all.filter(one => one !== kept).map(one => {
                one.close();
                return one.isDisposed || new Promise(then => one.disposed.connect(then));
              });
              await Promise.all(gone);
              return true;
            }""",
            but,
        )
        if not stays:
            self.wait_for_launcher()
        self.page.evaluate("window.jupyterapp.commands.execute('stop-chat:open')")

    def tidy(self) -> None:
        """Put JupyterLab itself as after its load: one panel, of its usual width and colours."""
        if self.kept is not None:
            self.close_documents()
            self.kept = None
        self.page.evaluate("window.jupyterapp.commands.execute('stop-chat:open')")
        self.close_tabs()
        if self.page.evaluate("document.body.dataset.jpThemeName") != LIGHT:
            self.theme(LIGHT)
        self.width(USUAL_WIDTH)

    def close_tabs(self) -> None:
        """Close the chats that are open in the main area."""
        self.page.evaluate(
            """() => {
              for (const widget of [...window.jupyterapp.shell.widgets('main')]) {
                if (widget.node.matches('.jp-StopChat-panel, :has(.jp-StopChat-panel)')) {
                  widget.close();
                }
              }
            }"""
        )
        expect(self.panel).to_have_count(1)
        self._wait_for_main_area()

    def new_chat(self) -> None:
        """Go to a new chat."""
        self.page.get_by_role("button", name="New chat").click()
        expect(self.messages).to_have_count(0)

    def set(self, settings: Mapping[str, object] | None) -> None:
        """Change settings as the settings editor does, while the page is open; None resets all."""
        self.page.evaluate(
            """async settings => {
              const tokens = [...window.jupyterapp.pluginRegistry._services.keys()];
              const token = tokens.find(one => one.name.includes('ISettingRegistry'));
              const registry = await window.jupyterapp.resolveRequiredService(token);
              const plugin = 'jupyter-stop-chat:plugin';
              const {user} = await registry.load(plugin);
              for (const [name, value] of Object.entries(settings ?? {})) {
                await registry.set(plugin, name, value);
              }
              for (const name of settings ? [] : Object.keys(user)) {
                await registry.remove(plugin, name);
              }
            }""",
            settings,
        )

    def drop_file(self, name: str, content: str) -> None:
        """Drop a file from the desktop on the panel."""
        self.panel.evaluate(
            """(panel, [name, content]) => {
              const dataTransfer = new DataTransfer();
              dataTransfer.items.add(new File([content], name));
              for (const type of ['dragover', 'drop']) {
                panel.querySelector('.jp-StopChat-input').dispatchEvent(
                  new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true}));
              }
            }""",
            [name, content],
        )

    def ask(self, prompt: str) -> None:
        """Type a prompt and press Enter."""
        self.input.fill(prompt)
        self.input.press("Enter")

    def choose_model(self, model: str) -> None:
        """Choose a model by its id."""
        button = self.page.locator("button.jp-StopChat-model")
        button.click()
        self.page.locator(".jp-StopChat-models .jp-StopChat-search").fill(model)
        self.page.keyboard.press("Enter")
        expect(button).to_contain_text(model.split(":")[1])

    def reply(self) -> Locator:
        """Return the newest reply's text."""
        return self.replies.last.locator(".jp-StopChat-body")

    def text(self) -> str:
        """Return the newest reply's text; `innerText` leaves out what was not painted yet."""
        return (self.reply().text_content() or "").strip()

    def wait_for_text(self, length: int) -> None:
        """Wait until the newest reply shows so many characters."""
        self.page.wait_for_function(
            """length => {
              const bodies = document.querySelectorAll(
                '.jp-StopChat-message[data-role=assistant] .jp-StopChat-body');
              return (bodies[bodies.length - 1]?.textContent ?? '').length >= length;
            }""",
            arg=length,
        )

    def expect_mode(self, mode: str) -> None:
        """Wait until the button is in a mode: send, stop or stopping."""
        expect(self.button).to_have_attribute("data-mode", mode)

    def sent_of(self, kind: str) -> list[dict[str, Any]]:
        """Return the frames of one type that the page sent."""
        return [frame for frame in self.sent if frame["type"] == kind]

    def command(self, name: str) -> None:
        """Run a command by its id, as the palette does."""
        self.page.evaluate("name => { void window.jupyterapp.commands.execute(name); }", name)

    def leave_dialog(self) -> None:
        """Leave the dialog by Esc, as soon as it has the focus: it is shown a moment before."""
        dialog = self.page.locator(".jp-Dialog")
        expect(dialog.locator(":focus")).to_have_count(1)
        self.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)

    def theme(self, name: str) -> None:
        """Change JupyterLab's theme: "JupyterLab Light" or "JupyterLab Dark"."""
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name
        )
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)  # it fades over all

    def width(self, pixels: int) -> None:
        """Make the panel so wide."""
        self.page.evaluate(
            """pixels => {
              const split = window.jupyterapp.shell._hsplitPanel;
              const all = split.node.clientWidth;
              split.setRelativeSizes([pixels, all - pixels, 0]);
            }""",
            pixels,
        )
        self.page.wait_for_function(
            """pixels => Math.abs(
              document.querySelector('.jp-StopChat-panel').clientWidth - pixels) < 30""",
            arg=pixels,
        )

    def shot(self, name: str) -> None:
        """Save a screenshot for who looks at a run, if it was asked for: each takes a while."""
        if os.environ.get("STOP_CHAT_SCREENSHOTS"):
            self.save_shot(name)

    def save_shot(self, name: str) -> None:
        """Save a screenshot."""
        self._artifacts.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self._artifacts / f"{name}.png")

    # --- the wire ------------------------------------------------------------------------------

    def hold_stops(self) -> None:
        """Keep stop frames back, as a server that cannot be reached would."""
        self._held = []

    def release_stops(self) -> None:
        """Let the stop frames go."""
        held, self._held = self._held or [], None
        for server, message in held:
            server.send(message)

    def hold_answers(self) -> None:
        """Keep back what the server says, as a slow network would."""
        self._answers = []

    def release_answers(self) -> None:
        """Let what the server said through, in order."""
        held, self._answers = self._answers or [], None
        for route, message in held:
            route.send(message)

    def cut_connection(self) -> None:
        """Cut the page off from the server, and keep it so."""
        self._cut = True
        for route in self._sockets:
            route.close(code=1012)
        self._sockets.clear()

    def mend_connection(self) -> None:
        """Let the page reach the server again."""
        self._cut = False

    def _between(self, route: WebSocketRoute) -> None:
        if self._cut:
            route.close(code=1012)
            return
        self._sockets.append(route)
        server = route.connect_to_server()

        def from_page(message: str | bytes) -> None:
            frame = json.loads(message)
            self.sent.append(frame)
            if frame["type"] == "stop" and self._held is not None:
                self._held.append((server, str(message)))
            else:
                server.send(message)

        def from_server(message: str | bytes) -> None:
            if self._answers is not None:
                self._answers.append((route, message))
            else:
                route.send(message)

        route.on_message(from_page)
        server.on_message(from_server)
