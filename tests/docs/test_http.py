"""What pages show of the HTTP API works as it is written there, against a real server."""

from __future__ import annotations

import asyncio
import json
import os
import re
from typing import Any

from jupyter_stop_chat.testing import ScriptedHandler
from tests.docs.commands import lines_of
from tests.docs.pages import blocks


async def test_the_lines_for_curl(
    app: Any, jp_ws_fetch: Any, jp_http_port: int, jp_base_url: str
) -> None:
    """None is refused, and the reply comes from its first event to its last."""
    app.titles = "prompt"
    app.default_model = "scripted:x"
    services = await app.services()
    services.models.register("scripted", lambda name: ScriptedHandler(["Once upon a time."]))
    environment = os.environ | {
        "CHAT": f"http://127.0.0.1:{jp_http_port}{jp_base_url}api/stop-chat",
        "TOKEN": app.serverapp.identity_provider.token,
    }
    shown = [line for each in blocks("bash") for line in lines_of(each.text)]
    answered = {}
    for line in shown:
        if line.startswith("curl "):
            process = await asyncio.create_subprocess_exec(
                "sh", "-c", line, env=environment, stdout=asyncio.subprocess.PIPE
            )
            out, _ = await asyncio.wait_for(process.communicate(), 60)
            assert process.returncode == 0, line
            answered[line] = out.decode()
    for line, answer in answered.items():
        if "/generate" in line and "generations" not in line:
            events = re.findall(r"^event: (\w+)$", answer, re.MULTILINE)
            assert (events[0], events[-1]) == ("start", "completed")
            assert "Once upon a time." in answer
        else:
            assert "code" not in json.loads(answer), (line, answer)
    last_words = {line.partition("$CHAT/")[2].strip('"') for line in answered}
    assert last_words >= {"generate", "generations", "interrupt", "models"}
