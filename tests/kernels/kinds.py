"""Every kind of cell: what it waits for, and whether a KeyboardInterrupt ends it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from jupyter_stop_chat.ports.kernels import Run
from tests.kernels.person import PATIENCE


@dataclass(frozen=True)
class Kind:
    """A kind of cell, which says that it is there before it does what it does."""

    name: str
    body: str
    magic: str = ""
    #: It says itself that it is there: what it starts takes a while to hear of an interrupt.
    says: bool = False
    #: IPython takes the interrupt for itself: the command ends, and the cell goes on behind it.
    quiet: bool = False
    #: Somebody can be asked.
    asks: bool = False
    #: How it may end.
    ends: tuple[str, ...] = ("error",)

    @property
    def code(self) -> str:
        """Return the cell."""
        if self.magic or self.says:
            return f"{self.magic}\n{self.body}"
        return f"print('here', flush=True)\n{self.body}"

    async def ready(self, run: Run) -> None:
        """Wait until the cell says that it is there; of some magics, nothing is heard."""
        if self.magic and not self.says:
            await asyncio.sleep(0.2)
        else:
            await shows(run)


async def shows(run: Run) -> None:
    """Wait until a run has shown something."""
    async with asyncio.timeout(PATIENCE):
        while not run.so_far().outputs:  # noqa: ASYNC110 - nothing else tells of it
            await asyncio.sleep(0.005)


_POOL = "import multiprocessing as m, time\\nwith m.Pool(2) as p: p.map(time.sleep, [600, 600])"
_SCRIPT = """import pathlib, tempfile
with tempfile.TemporaryDirectory() as folder:
    script = pathlib.Path(folder, 'a.py')
    script.write_text('import time; time.sleep(600)')
    %run $script"""
KINDS = (
    Kind("a loop", "while True: pass"),
    Kind("`time.sleep`", "import time; time.sleep(600)"),
    Kind("`subprocess.run`", "import subprocess; subprocess.run(['sleep', '600'])"),
    Kind("`os.system`", "import os; os.system('sleep 600; true')"),
    Kind("`!sleep`", "!echo here; sleep 600", says=True, quiet=True),
    Kind("`%%bash`", "echo here; sleep 600", "%%bash", says=True),
    Kind("`%%capture`", "import time; time.sleep(600)", "%%capture"),
    Kind("`%%time`", "import time; time.sleep(600)", "%%time"),
    Kind("`run_cell` within", "get_ipython().run_cell('import time; time.sleep(600)')\n1 / 0"),
    Kind("`!sleep`, then a loop", "!echo here; sleep 600\nwhile True: pass", says=True),
    Kind(
        "`run_cell` within, then a loop",
        "get_ipython().run_cell('import time; time.sleep(600)')\nwhile True: pass",
    ),
    Kind(
        "a slow start of `run_cell` within, then a loop",
        "import time\nshell = get_ipython()\ndef slowly(lines): time.sleep(600); return lines\n"
        "shell.input_transformers_cleanup.append(slowly)\n"
        "try: shell.run_cell('1')\nfinally: shell.input_transformers_cleanup.remove(slowly)\n"
        "while True: pass",
    ),
    Kind("`%timeit`, then a loop", "%timeit -r 600 -n 100 sum(range(10**5))\nwhile True: pass"),
    Kind("`%run`, then a loop", f"{_SCRIPT}\nwhile True: pass"),
    Kind("`x = !sleep`, then a loop", "x = !sleep 600\nwhile True: pass"),
    Kind(
        "`%%bash` within, then a loop",
        "get_ipython().run_cell_magic('bash', '', 'sleep 600')\nwhile True: pass",
    ),
    Kind("`%prun`, then a loop", "%prun -q import time; time.sleep(600)\nwhile True: pass"),
    Kind(
        "a finalizer, then a loop",
        "import time\nclass Freed:\n  def __del__(self): time.sleep(600)\nFreed()\n"
        "while True: pass",
    ),
    Kind("`await sleep`", "import asyncio; await asyncio.sleep(600)"),
    Kind("`gather`", "import asyncio; await asyncio.gather(*map(asyncio.sleep, [600] * 3))"),
    Kind("`await`, then a loop", "import asyncio; await asyncio.sleep(.01)\nwhile True: pass"),
    Kind(
        "`await`, then `time.sleep`",
        "import asyncio, time; await asyncio.sleep(.01)\ntime.sleep(600)",
    ),
    Kind(
        "a loop in a task",
        "import asyncio\nasync def busy():\n  while True: pass\n"
        "await asyncio.gather(busy(), asyncio.sleep(600))",
    ),
    Kind("`queue.get`", "import queue; queue.Queue().get()"),
    Kind(
        "joining a thread",
        "import threading, time\nt = threading.Thread(target=time.sleep, args=(600,), daemon=True)"
        "\nt.start(); t.join()",
    ),
    Kind("`asyncio.to_thread`", "import asyncio, time; await asyncio.to_thread(time.sleep, 1)"),
    Kind("`input()`", "input('Name: ')", asks=True),
    Kind("printing without end", "while True: print('x' * 100)"),
    Kind("`%timeit`", "%timeit -r 600 -n 100 sum(range(10**5))", quiet=True),
    Kind(
        "`multiprocessing`",
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', '{_POOL}'])",
    ),
    Kind(
        "`except Exception` in a loop",
        "import time\nwhile True:\n  try: time.sleep(1)\n  except Exception: pass",
    ),
    Kind(
        "SIGUSR1 taken by faulthandler",
        "import faulthandler, signal, time\nfaulthandler.register(signal.SIGUSR1)\n"
        "time.sleep(600)",
    ),
)
#: Those whose end is an interrupt and nothing else.
ENDLESS = tuple(each for each in KINDS if each.name != "`run_cell` within")
#: Those that end at their own end, or in their own way.
STUBBORN = (
    Kind("C code that holds the interpreter", "sum(range(6 * 10**7))", ends=("error", "done")),
    Kind(
        "a swallowed KeyboardInterrupt",
        "import time\nfor _ in range(3):\n  try: print('here', flush=True); time.sleep(.2)\n"
        "  except: pass",
        says=True,
        ends=("done",),
    ),
    Kind(
        "a slow clean-up",
        "import time\ntry: print('here', flush=True); time.sleep(600)\n"
        "except KeyboardInterrupt: time.sleep(.3)",
        says=True,
        ends=("done",),
    ),
    Kind(
        "a slow clean-up in `%%capture`",
        "import time\ntry: time.sleep(600)\nexcept KeyboardInterrupt: time.sleep(.7)",
        "%%capture",
        ends=("done",),
    ),
    Kind(
        "a slow clean-up that awaits",
        "import asyncio, time\nawait asyncio.sleep(0)\n"
        "try: print('here', flush=True); time.sleep(600)\n"
        "except KeyboardInterrupt: await asyncio.sleep(.3)",
        says=True,
        ends=("done",),
    ),
    Kind(
        "a SIGINT handler of its own",
        "import signal, time\nbefore = signal.signal(signal.SIGINT, lambda *a: print('mine'))\n"
        "print('here', flush=True); time.sleep(.5)\nsignal.signal(signal.SIGINT, before)",
        says=True,
        ends=("done",),
    ),
)
#: An interrupt ends what is within, and the cell itself only where it comes between two of them.
LUCKY = (
    Kind(
        "`run_cell` within, again and again",
        "while True: get_ipython().run_cell('import time; time.sleep(600)')",
    ),
)
#: The kernel itself ends.
KILLED = Kind(
    "killed with SIGKILL, as the system does where memory is short",
    "import os, signal\ntaken = bytearray(10**7)\nos.kill(os.getpid(), signal.SIGKILL)",
)
