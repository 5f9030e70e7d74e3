"""What Jupyter Server's `/metrics` tells of the chat. No label names a person or a chat.

Metrics belong to the process, so they are made once, when this module is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

from prometheus_client import Counter, Gauge, Histogram

from jupyter_stop_chat.engine.changes import Change, MessageMoved
from jupyter_stop_chat.wire.objects import TERMINAL

if TYPE_CHECKING:
    from jupyter_stop_chat.engine import Engine
    from jupyter_stop_chat.engine.generation import Generation
    from jupyter_stop_chat.wire.objects import Message

#: A stop is meant to take some milliseconds, and must not take more than two seconds.
STOP_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 5.0)
#: A commit takes a tenth of a millisecond on a good disk, and seconds behind a lock.
COMMIT_BUCKETS = (0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0)

running = Gauge(
    "jupyter_stop_chat_generations_running",
    "Replies that are being made or wait.",
)
runaway = Gauge(
    "jupyter_stop_chat_runaway_tasks",
    "Models that did not react to their stop and are fenced off.",
)
sockets = Gauge("jupyter_stop_chat_sockets", "Sockets that are open.")
ended = Counter(
    "jupyter_stop_chat_generations_ended",
    "Replies by how they ended.",
    ["state"],
)
stop_seconds = Histogram(
    "jupyter_stop_chat_stop_seconds",
    "From the request to stop until the reply was settled.",
    buckets=STOP_BUCKETS,
)
provider_close_seconds = Histogram(
    "jupyter_stop_chat_provider_close_seconds",
    "From the request to stop until the provider's connection was closed.",
    buckets=STOP_BUCKETS,
)
commit_seconds = Histogram(
    "jupyter_stop_chat_commit_seconds",
    "One commit of a group of changes to the store.",
    buckets=COMMIT_BUCKETS,
)
input_tokens = Counter(
    "jupyter_stop_chat_input_tokens",
    "Tokens that replies read, as counted or estimated; titles apart.",
)
output_tokens = Counter(
    "jupyter_stop_chat_output_tokens",
    "Tokens that were made for replies, likewise.",
)
cost = Counter(
    "jupyter_stop_chat_cost_dollars",
    "What replies cost by the providers' lists of prices; titles apart.",
)

_engines: WeakSet[Engine] = WeakSet()
_open_sockets: WeakSet[object] = WeakSet()


def _count(engines: WeakSet[Engine]) -> float:
    return sum(len(engine.registry) for engine in engines)


running.set_function(lambda: _count(_engines))
runaway.set_function(lambda: sum(engine.runaway for engine in _engines))
sockets.set_function(lambda: len(_open_sockets))
for _state in TERMINAL:
    ended.labels(str(_state))  # so that each is there from the start, at nought


def watch(engine: Engine) -> None:
    """Count what an engine makes from now on."""
    _engines.add(engine)
    engine.bus.watch(_hear)


def socket_opened(socket: object) -> None:
    """Count a socket for as long as it is open."""
    _open_sockets.add(socket)


def socket_closed(socket: object) -> None:
    """Count a socket no longer."""
    _open_sockets.discard(socket)


def _hear(change: Change) -> None:
    if not isinstance(change, MessageMoved) or change.message.state not in TERMINAL:
        return
    if change.retold:
        return
    stop = change.message.stop
    if change.generation is not None:
        ended.labels(str(change.message.state)).inc()
        _count_spent(change.message, change.generation)
        if stop is not None and stop.settled_ms is not None:
            stop_seconds.observe(stop.settled_ms / 1000)
    # Without a generation it is a receipt that was completed later: the provider closed late.
    if stop is not None and stop.provider == "closed" and stop.provider_ms is not None:
        provider_close_seconds.observe(stop.provider_ms / 1000)


def _count_spent(message: Message, generation: Generation) -> None:
    """Count what the last part of a reply used: before it, it may have ended already."""
    used, before = message.usage, generation.used_before
    for counter, name in ((input_tokens, "input_tokens"), (output_tokens, "output_tokens")):
        more = (getattr(used, name, None) or 0) - (getattr(before, name, None) or 0)
        counter.inc(max(0, more))
    paid = generation.cost_before.amount if generation.cost_before is not None else 0
    if message.cost is not None and message.cost.amount > paid:
        cost.inc((message.cost.amount - paid) / 1_000_000)
