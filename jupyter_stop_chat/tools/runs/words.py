"""What models are told of kernels, and of how runs ended."""

from __future__ import annotations

from jupyter_stop_chat.ports.kernels import KernelError
from jupyter_stop_chat.ports.tools import ToolError

_FAULTS = {
    "missing": "This notebook has no kernel: start one with restart_kernel.",
    "dead": "The kernel of this notebook is dead: start it anew with restart_kernel.",
    "restarting": "The kernel of this notebook is just being started. Try again in a moment.",
    "no_answer": (
        "The kernel of this notebook lives, and says nothing. Ask the person to look at it, or "
        "restart it with restart_kernel."
    ),
}
_FAILED = "The server cannot reach the kernel of this notebook, for a reason that nobody knows."

NO_KERNEL = _FAULTS["missing"]
OTHER_KERNEL = (
    "The page has the notebook with another kernel than the server knows of: nothing was run. Ask "
    "the person to choose a kernel of this server for it."
)
TOO_BUSY = "The kernel is busy with something else since an hour: nothing was run."
NOT_BEGUN = (
    "The kernel did not begin with this cell, again and again, since cells that the person ran "
    "before it failed: nothing was run. Look at them."
)
THEIRS = "The person runs this very cell, again and again: it was not run for you. Wait for them."
PAGE_GONE = {
    "refused": (
        "The page that was to run this cell does not answer: it was not run, and will not be. "
        "Try again."
    ),
    "ran": (
        "The page that was to run this cell does not answer. The cell had begun, and was "
        "interrupted; it may have had effects."
    ),
    "unknown": (
        "The page that was to run this cell does not answer. Whether it ran is not known: look "
        "at the notebook before you go on."
    ),
}
BY_PERSON = "KeyboardInterrupt: interrupted by the person."
ALSO_BY_PERSON = "The person had interrupted it."
REFUSED = "The person interrupted this cell before it began: it was not run."
RESTARTED = (
    "The kernel was restarted while this cell ran, and the cell with it: nothing is defined any "
    "more."
)
DIED = (
    "The kernel died while this cell ran, maybe for want of memory: nothing is defined any more. "
    "It can be started anew with restart_kernel."
)
ASKED = (
    "The cell asked for input, and nobody was there to answer: the notebook is open in no page."
)


def in_words(error: KernelError) -> ToolError:
    """Tell a model why a kernel cannot be had."""
    return ToolError(_FAULTS.get(error.code, _FAILED))


def seconds(number: float) -> str:
    """Return how long something took, as people say it."""
    return f"{number:.1f} s" if number < 100 else f"{round(number):,} s"
