"""Rule 14: a server starts as fast as without the store; its imports come later, in a thread."""

import subprocess
import sys

SCRIPT = """
import asyncio, sys, threading

import jupyter_stop_chat.store
heavy = ("sqlalchemy", "sqlite3", "alembic")
assert not [name for name in heavy if name in sys.modules], "imported with the package"

importers = set()

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in heavy:
            importers.add((name, threading.current_thread() is threading.main_thread()))

sys.meta_path.insert(0, Watch())

async def main():
    store = await jupyter_stop_chat.store.open_store(
        f"sqlite:///{sys.argv[1]}", owner_process="host:1:a"
    )
    await store.close()

asyncio.run(main())
assert importers == {(name, False) for name in heavy}, importers
others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
for thread in others:
    thread.join(10)
    assert not thread.is_alive(), thread
"""


def test_nothing_heavy_is_imported_at_the_start_nor_on_the_loop(tmp_path):
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, str(tmp_path / "chats.sqlite3")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert child.returncode == 0, child.stderr
