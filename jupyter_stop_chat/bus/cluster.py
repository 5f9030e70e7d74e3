"""What is kept by key in a cluster: each node is asked for the keys that it has.

redis-py's own client of clusters makes connections that nothing closes: here each is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import MovedError, RedisError

from .outgoing import Command

Address = tuple[str, int]
#: A node may tell that another one has a key; that one may be wrong as well, while keys move.
MOST_TRIES = 3


class Cluster:
    """The nodes of a cluster, as far as they were needed.

    :param home: the node that is asked where nothing is known; closed by who made it.
    :param connect: makes what reaches another node.
    """

    def __init__(self, home: Redis, connect: Callable[[str, int], Redis]) -> None:
        self._home = home
        self._connect = connect
        self._nodes: dict[Address, Redis] = {}
        self._slots: dict[int, Address] = {}

    async def execute(self, name: Any, *rest: Any) -> Any:
        """Do a command; `MGET` and `DEL` take keys that lie apart."""
        if name not in {"MGET", "DEL"}:
            return (await self._execute([(name, *rest)]))[0]
        each = [("GET" if name == "MGET" else name, key) for key in rest]
        answers = await self._execute(each)
        failed = next((one for one in answers if isinstance(one, Exception)), None)
        # A flag under a key of another kind is none.
        return answers if failed is None or name == "MGET" else failed

    async def _execute(self, commands: Sequence[Command]) -> list[Any]:
        answers: list[Any] = [None] * len(commands)
        left = list(range(len(commands)))
        for _ in range(MOST_TRIES):
            by_node: defaultdict[Address | None, list[int]] = defaultdict(list)
            for at in left:
                by_node[self._slots.get(_slot(commands[at]))].append(at)
            for address, those in by_node.items():
                told = await self._execute_at(address, [commands[at] for at in those])
                for at, answer in zip(those, told, strict=True):
                    answers[at] = answer
            left = [at for at in left if isinstance(answers[at], MovedError)]
            for at in left:
                moved = answers[at]
                self._slots[moved.slot_id] = (moved.host, moved.port)
        return answers

    async def _execute_at(self, address: Address | None, commands: Sequence[Command]) -> list[Any]:
        node = self._home
        if address is not None:
            if address not in self._nodes:
                self._nodes[address] = self._connect(*address)
            node = self._nodes[address]
        pipeline = node.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        try:
            told: list[Any] = await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            # Another one may have its keys soon: the first node knows which.
            for command in commands:
                self._slots.pop(_slot(command), None)
            return [error] * len(commands)
        return told

    @property
    def nodes(self) -> list[Redis]:
        """Return the nodes beside the first one: whoever made this closes them."""
        return list(self._nodes.values())


def _slot(command: Command) -> int:
    key = command[1]
    return key_slot(key if isinstance(key, bytes) else str(key).encode())
