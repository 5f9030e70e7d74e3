"""The interrupt's handler, without a kernel around it."""

from __future__ import annotations

import os
import queue
import signal
import threading

from IPython.core.interactiveshell import InteractiveShell

from jupyter_stop_chat.magics.interrupts import Interrupts


def test_what_was_there_before_is_there_after_a_cell_that_asks_again_and_again() -> None:
    """B6: it catches each interrupt; and a subshell's cell that ends meanwhile ends nothing."""
    shell = InteractiveShell(warn_venv=False)  # as it is in any environment
    taken = []

    def asks() -> None:
        news = queue.SimpleQueue[object]()
        with Interrupts(news, shell) as interrupts:
            os.kill(os.getpid(), signal.SIGINT)
            news.get()
        taken.append(interrupts.count)

    def others_cell() -> None:
        beside = threading.Thread(target=shell.events.trigger, args=("post_execute",))
        beside.start()
        beside.join()
        taken.append(signal.getsignal(signal.SIGINT) is before)

    before = signal.getsignal(signal.SIGINT)
    try:
        shell.user_ns |= {"asks": asks, "others_cell": others_cell}
        shell.run_cell("for _ in range(3):\n    asks()\nothers_cell()")
        assert taken == [1, 1, 1, False]
        assert signal.getsignal(signal.SIGINT) is before
    finally:
        signal.signal(signal.SIGINT, before)
