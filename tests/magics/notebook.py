"""A notebook without a page: a real kernel, cells that run in it, and the outputs as they are."""

from __future__ import annotations

import json
import os
import queue
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.browser.lab import Lab

#: So long a test waits for what must come; it never decides whether a test is right.
PATIENCE = 60.0
#: So soon a kernel's reply is there once it is idle, or it is asked for something else.
SOON = 5.0
#: The status of a reply that an interrupt met while ipykernel sent it.
LOST = "lost"


def eventually(condition: Callable[[], Any], what: str = "") -> Any:
    """Wait until a condition is true, and return what it returned."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"this did not come: {what or condition}"
        time.sleep(0.002)
    return found


class Running:
    """A cell that runs, with its outputs as a notebook file would hold them."""

    def __init__(self, client: BlockingKernelClient, code: str, **how: Any) -> None:
        self._client = client
        self.id = client.execute(code, **how)
        self.outputs: list[dict[str, Any]] = []
        self._displays: dict[str, dict[str, Any]] = {}
        self.messages: list[str] = []
        self.idle = False
        self.times: list[float] = []

    def step(self) -> None:
        """Take the next message of this cell in."""
        try:
            message = self._client.get_iopub_msg(timeout=PATIENCE)
        except ValueError as error:
            # An interrupt met the kernel while it signed this one: its front ends drop it, too.
            if "Invalid Signature" not in str(error):
                raise
            return
        if message["parent_header"].get("msg_id") != self.id:
            return
        kind, content = message["msg_type"], message["content"]
        self.messages.append(kind)
        if kind == "status":
            self.idle = content["execution_state"] == "idle"
        elif kind == "stream":
            last = self.outputs[-1] if self.outputs else {}
            if last.get("name") == content["name"]:
                last["text"] += content["text"]
            else:
                self.outputs.append({"output_type": "stream", **content})
        elif kind in {"display_data", "update_display_data"}:
            name = content.get("transient", {}).get("display_id", "")
            if kind == "display_data":
                self._displays[name] = {"output_type": kind}
                self.outputs.append(self._displays[name])
            shown = {"data": content["data"], "metadata": content["metadata"]}
            self._displays[name].update(shown)
        elif kind in {"error", "execute_result"}:
            self.outputs.append({"output_type": kind, **content})

    def until(self, condition: Callable[[], Any]) -> None:
        """Take messages in until a condition is true."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, self.outputs
            assert not self.idle, self.outputs
            self.step()

    def until_text(self, text: str) -> None:
        """Take messages in until the display has a text."""
        self.until(lambda: text in self.text)

    @property
    def text(self) -> str:
        """Return what the outputs show, as plain text."""
        shown = [
            each.get("data", {}).get("text/plain") or each.get("text") or ""
            for each in self.outputs
        ]
        return "\n".join(shown)

    @property
    def html(self) -> str:
        """Return what the first display shows as HTML."""
        return str(next(each["data"] for each in self.outputs if "data" in each)["text/html"])

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Return the errors among the outputs."""
        return [each for each in self.outputs if each["output_type"] == "error"]

    def end(self) -> dict[str, Any]:
        """Wait for the cell's end and return the kernel's reply, `LOST` if there is none."""
        end = time.monotonic() + PATIENCE
        while not self.idle:
            assert time.monotonic() < end, self.outputs
            self.step()
        behind = None  # what the kernel answers after the cell, if it answered that
        while True:
            try:
                reply = self._client.get_shell_msg(timeout=PATIENCE if behind else SOON)
            except queue.Empty:
                assert behind is None, "the kernel answers nothing"
                behind = self._client.kernel_info()
                continue
            asked = reply["parent_header"].get("msg_id")
            if asked == self.id:
                return dict(reply["content"])
            if asked == behind:
                return {"status": LOST}


class Notebook:
    """What runs cells."""

    def __init__(self, client: BlockingKernelClient, interrupt: Callable[[], None]) -> None:
        self.client = client
        self.interrupt = interrupt

    def begin(self, code: str, **how: Any) -> Running:
        """Run a cell, and wait for nothing."""
        return Running(self.client, code, **how)

    def run(self, code: str, **how: Any) -> Running:
        """Run a cell to its end, which must be a good one."""
        cell = self.begin(code, **how)
        reply = cell.end()
        assert reply["status"] == "ok", (reply, cell.outputs)
        return cell

    def value(self, expression: str) -> Any:
        """Return a JSON value from the kernel."""
        cell = self.run(f"import json as _json; print(_json.dumps({expression}))")
        return json.loads(cell.text)


class Home(Protocol):
    """Where a test's kernel runs."""

    def open(self) -> Notebook:
        """Start a kernel with the magics loaded."""
        ...

    def chats(self, count: int = 200) -> list[dict[str, Any]]:
        """Return the newest chats of the history."""
        ...


class Server:
    """What runs kernels on a Jupyter Server with the extension, and see its history."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.kernels: list[str] = []
        self._clients: list[BlockingKernelClient] = []

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call the server's API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.lab.port}/api/{path}",
            data,
            {"Authorization": f"token {self.lab.token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            raw = answer.read()
        return json.loads(raw) if raw else None

    def open(self, path: str | None = None) -> Notebook:
        """Start a kernel as a page does, for a notebook if one is named; load the magics."""
        about: dict[str, Any] = {"name": "python3"}
        if path is None:
            id_ = self.call("POST", "kernels", about)["id"]
        else:
            about = {"path": path, "name": path.split("/")[-1], "kernel": about}
            id_ = self.call("POST", "sessions", {"type": "notebook", **about})["kernel"]["id"]
        self.kernels.append(id_)
        client = BlockingKernelClient()
        client.load_connection_file(str(self.lab.folder / "runtime" / f"kernel-{id_}.json"))
        client.start_channels(hb=False)  # of a busy kernel that misses a beat, it says it is dead
        client.wait_for_ready(timeout=PATIENCE)
        self._clients.append(client)
        notebook = Notebook(client, lambda: self.call("POST", f"kernels/{id_}/interrupt", {}))
        notebook.run("%load_ext jupyter_stop_chat")
        return notebook

    def chats(self, count: int = 200) -> list[dict[str, Any]]:
        """Return the newest chats of the history."""
        chats = self.call("GET", f"stop-chat/chats?limit={count}")["chats"]
        return [self.call("GET", f"stop-chat/chats/{each['id']}") for each in chats]

    def close(self) -> None:
        """End the kernels."""
        for client in self._clients:
            client.stop_channels()
        for id_ in self.kernels:
            self.call("DELETE", f"kernels/{id_}")


class Alone:
    """What runs kernels without any server, as another editor does."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        self.folder = folder
        for each in ("home", "config", "data", "runtime"):
            (folder / each).mkdir(parents=True, exist_ok=True)
        (folder / "config" / "jupyter_server_config.json").write_text(json.dumps(config))
        self._managers: list[tuple[KernelManager, BlockingKernelClient]] = []

    @property
    def environment(self) -> dict[str, str]:
        """Return what a process of this person has in its environment."""
        return {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("JUPYTER", "OPENAI", "ANTHROPIC", "JPY"))
        } | {
            "HOME": str(self.folder / "home"),
            "IPYTHONDIR": str(self.folder / "home" / "ipython"),
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_DATA_DIR": str(self.folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
        }

    def open(self, **more: str) -> Notebook:
        """Start a kernel and load the magics."""
        manager = KernelManager(kernel_name="python3")
        manager.start_kernel(env=self.environment | more)
        client = manager.blocking_client()
        client.start_channels(hb=False)
        client.wait_for_ready(timeout=PATIENCE)
        self._managers.append((manager, client))
        notebook = Notebook(client, manager.interrupt_kernel)
        notebook.run("%load_ext jupyter_stop_chat")
        return notebook

    @property
    def manager(self) -> KernelManager:
        """Return the newest kernel's manager."""
        return self._managers[-1][0]

    def chats(self, count: int = 200) -> list[dict[str, Any]]:
        """Return the newest chats of the history, as a server would read it."""
        import sqlite3

        file = self.folder / "data" / "stop-chat" / "chats.sqlite"
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as store:
            store.row_factory = sqlite3.Row
            found = []
            newest = "SELECT * FROM chats ORDER BY created_at DESC LIMIT ?"
            for chat in store.execute(newest, (count,)):
                rows = store.execute(
                    "SELECT * FROM messages WHERE chat_id = ? ORDER BY rowid", (chat["id"],)
                )
                found.append({"chat": dict(chat), "messages": [dict(row) for row in rows]})
        store.close()
        return found

    def close(self) -> None:
        """End the kernels."""
        for manager, client in self._managers:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
