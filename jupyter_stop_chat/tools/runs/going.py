"""The runs that this server has: those that are waited for, and those that a stop left behind."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_stop_chat.ports.kernels import KernelError, Kernels, Run
from jupyter_stop_chat.ports.tools import Call
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.tool_routes import KernelAction


@dataclass(slots=True, eq=False)
class Going:
    """A run that has not ended.

    :ivar by_person: a person has asked for its end by itself: the reply goes on.
    """

    run: Run
    kernel_id: str
    by_person: bool = False


class Runs:
    """What knows the runs that have not ended, by their calls."""

    def __init__(self, kernels: Kernels) -> None:
        self._kernels = kernels
        self._going: dict[tuple[str, str, str], Going] = {}

    def __len__(self) -> int:
        return len(self._going)

    def begin(self, call: Call, run: Run, kernel_id: str) -> Going:
        """Note that a call's run is about to be sent."""
        going = Going(run, kernel_id)
        self._going[call.owner, call.message_id, call.call_id] = going
        return going

    def end(self, call: Call, going: Going) -> None:
        """Note that it has ended."""
        key = (call.owner, call.message_id, call.call_id)
        if self._going.get(key) is going:
            del self._going[key]

    async def act(self, owner: str, message_id: str, call_id: str, action: KernelAction) -> None:
        """Interrupt a run by itself, or start its kernel anew.

        :raises StopChatError: `not_possible_now`: this server has no such run (any more), or its
            kernel cannot be had.
        """
        going = self._going.get((owner, message_id, call_id))
        if going is None:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "no such run is going on here")
        going.by_person = True
        try:
            if action == "interrupt":
                await going.run.interrupt()
            else:
                await self._kernels.restart(going.kernel_id)
        except KernelError as error:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, f"kernel {error.code}") from error
