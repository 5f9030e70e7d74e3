"""The list of MCP servers in a real JupyterLab, with a real server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.axe import AXE, violations
from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab
from tests.mcp_servers.rig import awkward

pytestmark = pytest.mark.browser
#: It says something to its log, and offers one tool.
NAME = "my files"


@pytest.fixture
def server(lab: Lab, tmp_path: Path) -> Iterator[None]:
    """Name a server in the person's own file."""
    file = lab.data / "stop-chat" / "mcp.json"
    entry = awkward("changes", EDITION="first", SEEN=str(tmp_path / "seen"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"mcpServers": {NAME: entry}}))
    yield
    file.unlink()


@pytest.mark.usefixtures("server")
def test_a_tool_is_allowed_by_keys_and_asked_for_again(chat: ChatPage) -> None:
    """J6, N8: the choice is kept, and stays where the focus is; a new list has it as well."""
    chat.command("stop-chat:mcp-servers")
    dialog = chat.page.locator(".jp-Dialog")
    dialog.get_by_role("button", name=f"Start {NAME} anew").click()
    choice = dialog.get_by_role("combobox", name="Before act acts")
    expect(choice).to_have_value("ask")
    dialog.get_by_role("checkbox", name="act").focus()
    chat.page.keyboard.press("Tab")
    expect(choice).to_be_focused()
    chat.page.keyboard.press("ArrowDown")
    chat.page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Confirm: allow act always")).to_be_focused()
    with chat.page.expect_response(re.compile(r"/allowed(\?|$)")) as kept:
        chat.page.keyboard.press("Enter")
    assert kept.value.status == 204
    expect(choice).to_have_value("always")
    expect(choice).to_be_focused()
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    expect(dialog).to_have_count(0)
    chat.command("stop-chat:mcp-servers")
    expect(choice).to_have_value("always")
    with chat.page.expect_response(re.compile("/allowed-tools")):
        choice.select_option("Ask each time")
    expect(choice).to_have_value("ask")
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    expect(dialog).to_have_count(0)
    chat.command("stop-chat:mcp-servers")
    expect(choice).to_have_value("ask")
    chat.leave_dialog()


@pytest.mark.usefixtures("server")
def test_a_server_is_started_looked_at_and_switched(chat: ChatPage) -> None:
    """J6, N7, N8: by keys and by mouse; what is switched off stays so in a new list."""
    chat.command("stop-chat:mcp-servers")
    dialog = chat.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("starts when an agent needs it")
    start = dialog.get_by_role("button", name=f"Start {NAME} anew")
    start.focus()
    start.press("Enter")
    expect(dialog).to_contain_text("A program, your own · ready")
    switch = dialog.get_by_role("checkbox", name="act")
    expect(switch).to_be_checked()
    expect(dialog).to_contain_text("Act, first.")
    choice = dialog.get_by_role("combobox", name="Before act acts")
    expect(choice).to_have_value("ask")
    dialog.get_by_role("button", name=f"Log of {NAME}").click()
    expect(dialog.locator("pre")).to_be_visible()
    chat.page.evaluate(AXE.read_text())
    for theme in ("Light", "Dark", "Dark High Contrast"):
        chat.theme(f"JupyterLab {theme}")
        assert violations(chat, ".jp-StopChat-mcp") == []
    chat.shot("mcp-servers")
    chat.theme("JupyterLab Light")
    switch.uncheck()
    expect(switch).not_to_be_checked()
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    expect(dialog).to_have_count(0)
    chat.command("stop-chat:mcp-servers")
    expect(dialog.get_by_role("checkbox", name="act")).not_to_be_checked()
    dialog.get_by_role("checkbox", name="act").check()
    chat.leave_dialog()
