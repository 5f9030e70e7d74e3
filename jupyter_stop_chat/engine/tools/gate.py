"""The gate: the one place that every call of a tool passes.

A call is carried out if its model's answer came whole, there is such a tool, its arguments fit,
no bound is reached, a person allows it, and the reply was not stopped. Where it is on this way is
written down before it goes on. The calls of one answer are carried out one after another, in the
task of the generation: that is the order in which the model wrote them, and Stop ends them as it
ends everything else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from traceback import format_tb
from typing import Any

from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.ports.page_words import words_of
from jupyter_stop_chat.ports.tools import (
    LONGEST_ARGS,
    Asking,
    CallStore,
    Journal,
    PageError,
    Proposal,
    Told,
    Tool,
    ToolError,
    ToolResult,
    Wanted,
)
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.errors import StopChatError
from jupyter_stop_chat.wire.tools import ToolCall, ToolState
from jupyter_stop_chat.wire.utf16 import whole

from .approvals import Approvals, Refused
from .arguments import arguments_of
from .bounds import Bounds, NotRun, ToolLimits
from .call import GatedCall, Leave, refuse_unkept
from .pages import PageCalls

log = logging.getLogger(__name__)

#: So much of a result is told to the model, in characters.
LONGEST_RESULT = 50_000
#: So much of a call's name and id is kept, in characters: a model writes them.
LONGEST_NAME = 200
#: So often a person is asked for one call, whose document changes meanwhile.
MOST_ASKED = 5

CUT_OFF = "Not run: the answer that makes this call was cut off before its end."
REFUSED = "The person refused this call: it was not carried out."
REASON = " Their words: "


@dataclass(slots=True)
class _Entry:
    """A call of this reply.

    :ivar n: its number within the reply.
    :ivar line: as it is shown, with its arguments whole.
    """

    n: int
    step: int
    wanted: Wanted
    line: ToolCall


class ToolGate:
    """What the calls of one reply pass.

    :param tools: what the model may call.
    :param leave: told of work that goes on behind a stop.
    :param before: the calls of the reply's earlier parts.
    :param path: the notebook or file that the person had open.
    :param sees: whether the model takes pictures, where that is known.
    """

    def __init__(
        self,
        generation: Generation,
        tools: Sequence[Tool],
        store: CallStore,
        journal: Journal,
        approvals: Approvals,
        pages: PageCalls,
        limits: ToolLimits,
        leave: Leave,
        *,
        before: Sequence[Told] = (),
        path: str | None = None,
        sees: bool | None = None,
    ) -> None:
        self.tools = tuple(tools)
        self._sees = sees
        self._generation = generation
        self._by_name = {each.name: each for each in tools}
        self._store = store
        self._journal = journal
        self._approvals = approvals
        self._pages = pages
        self._bounds = Bounds(limits)
        self._leave = leave
        self._path = path
        self._ids = {each.call_id for each in before}
        self._count = len(before)
        self._steps = max((each.step for each in before), default=0)

    def step(self) -> None:
        """Note that the model is asked again.

        :raises StopChatError: `too_many_steps`.
        """
        self._bounds.step(self._generation.used)

    async def run(self, calls: Sequence[Wanted]) -> list[ToolResult]:
        """Carry out the calls of one answer, and return what the model is told, in their order.

        :raises asyncio.CancelledError: when the reply is stopped.
        """
        self._steps += 1
        entries = [self._enter(each) for each in calls]
        # All of them, before the first one begins: what was stopped between two is told as such.
        await asyncio.gather(*[self._move(each, "waiting") for each in entries])
        return [await self._carry_out(each) for each in entries]

    def _enter(self, wanted: Wanted) -> _Entry:
        given = whole(wanted.call_id)[:LONGEST_NAME] or "call"
        numbered = (f"{given}-{number}" for number in count(self._count))
        call_id = next(each for each in chain([given], numbered) if each not in self._ids)
        self._ids.add(call_id)
        tool = self._by_name.get(wanted.name)
        line = ToolCall(
            call_id=call_id,
            name=whole(wanted.name)[:LONGEST_NAME],
            state="waiting",
            args=whole(wanted.args[: LONGEST_ARGS + 1]),
            at=self._generation.made_length,
            touches=tool.touches if tool is not None else None,
        )
        self._count += 1
        return _Entry(self._count - 1, self._steps, wanted, line)

    def _move(
        self, entry: _Entry, state: ToolState, result: str | None = None
    ) -> asyncio.Future[None]:
        """Tell where a call is now; return what is done once that is durable."""
        line = entry.line.model_copy(update={"state": state, "result": result})
        entry.line = line
        self._generation.put_call(line)
        told = Told(
            step=entry.step,
            at=line.at or 0,
            call_id=line.call_id,
            name=line.name,
            args=line.args or "",
            state=state,
            result=result,
        )
        return asyncio.ensure_future(self._store.put(self._generation.id, entry.n, told))

    async def _carry_out(self, entry: _Entry) -> ToolResult:
        wanted = entry.wanted
        state, result = await self._outcome(entry)
        text = cut(str(result.text))
        if state == "failed":
            self._bounds.failed(wanted.name, wanted.args)
        await self._move(entry, state, text)
        return ToolResult(text, failed=state != "completed", pictures=result.pictures)

    async def _outcome(self, entry: _Entry) -> tuple[ToolState, ToolResult]:
        """Carry a call out; return how it ended, and what is for the model."""
        try:
            tool, args = await self._admit(entry.wanted)
            result = await self._through(entry, tool, args)
            return ("failed" if result.failed else "completed"), result
        except NotRun as error:
            return "refused", ToolResult(str(error))
        except ToolError as error:
            return "failed", ToolResult(str(error) or "The tool failed.")
        except PageError as error:
            return "failed", ToolResult(words_of(error))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._generation.fenced or (task is not None and task.cancelling()):
                raise
            # Its own, which nobody asked for.
            return "failed", ToolResult("The tool was cancelled.")
        except (StopChatError, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - what ends a process would end the server
            # Its own words may hold a key.
            name, frames = type(error).__name__, "".join(format_tb(error.__traceback__))
            log.warning("the tool %s failed: %s at\n%s", entry.line.name, name, frames)
            return "failed", ToolResult(f"The tool failed with an error of its own ({name}).")

    async def _admit(self, wanted: Wanted) -> tuple[Tool, dict[str, Any]]:
        """Tell which tool a call means, and with what.

        :raises NotRun: it is not to begin.
        :raises ToolError: there is no such tool, or its arguments do not fit.
        """
        if not wanted.whole:
            raise NotRun(CUT_OFF)
        self._bounds.call(wanted.name, wanted.args)
        tool = self._by_name.get(wanted.name)
        if tool is None:
            there = ", ".join(self._by_name)
            raise ToolError(f"There is no such tool. There are: {there}.")
        return tool, await arguments_of(wanted.args, tool)

    async def _through(self, entry: _Entry, tool: Tool, args: Mapping[str, Any]) -> ToolResult:
        """Have a person allow a call, and carry it out."""
        call = GatedCall(
            self._generation,
            entry.line.call_id,
            self._path,
            self._journal,
            self._pages,
            self._bounds,
            self._leave,
            self._sees,
        )
        for _ in range(MOST_ASKED):
            call.proposal = await tool.propose(call, args)
            if call.proposal.changes:
                await in_thread(refuse_unkept, call.proposal.changes)
            await self._allow(entry, tool, call.proposal)
            call.begin()
            entry.line = entry.line.model_copy(update={"duration_ms": 0})
            # Durable before it begins: what a server's end leaves behind may have had effects.
            written = self._move(entry, "running")
            await self._generation.committed()
            await written
            began = time.perf_counter()
            try:
                return await tool.run(call, args)
            except Asking:
                entry.line = entry.line.model_copy(update={"duration_ms": None})
                await self._move(entry, "waiting")
            finally:
                took = round((time.perf_counter() - began) * 1000)
                if entry.line.state == "running":
                    entry.line = entry.line.model_copy(update={"duration_ms": took})
                    self._generation.lines.pass_gate(entry.line)
        raise ToolError("The document changes faster than the person is asked. Read it again.")

    async def _allow(self, entry: _Entry, tool: Tool, proposal: Proposal) -> None:
        """Return once a call may begin.

        :raises NotRun: it may not.
        """
        answer = await self._approvals.ask(
            self._generation, entry.line, tool, proposal, self._generation.put_call
        )
        if isinstance(answer, Refused):
            reason = (answer.reason or "").strip()
            raise NotRun(f"{REFUSED}{REASON}{reason}" if reason else REFUSED)


def cut(text: str, most: int = LONGEST_RESULT) -> str:
    """Cut a text where it is too long, so that it is seen."""
    if len(text) > most:
        left_out = len(text) - most
        text = f"{text[:most]}\n[Cut here: {left_out:,} more characters were left out.]"
    return whole(text)
