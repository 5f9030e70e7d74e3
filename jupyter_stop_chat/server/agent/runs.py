"""The HTTP routes of runs: how a person ends one, and what was shown while no page was there."""

from __future__ import annotations

from jupyter_stop_chat.ports.outputs import KeptRun
from jupyter_stop_chat.server.base import StopChatHandler
from jupyter_stop_chat.server.openapi import Operation
from jupyter_stop_chat.wire.tool_routes import KeptOutputs, KeptRuns, KernelRequest


class KernelHandler(StopChatHandler):
    """The handler of `messages/{message_id}/calls/{call_id}/kernel`."""

    @Operation("act_on_kernel", "execute", status=204, body=KernelRequest, failures=(409,))
    async def post(self, message_id: str, call_id: str) -> None:
        """Interrupt the run of a tool call by itself, or start its kernel anew.

        Only what this server has is known here: with a run that has ended, or that another server
        has, it is not possible now.
        """
        asked = self.body(KernelRequest)
        services = await self.services()
        await services.engine.message(self.owner, message_id, "assistant")
        await services.tools.act_on_kernel(self.owner, message_id, call_id, asked.action)
        self.set_status(204)
        self.finish()


class CellOutputsHandler(StopChatHandler):
    """The handler of `cell-outputs`."""

    @Operation(
        "list_cell_outputs",
        "read",
        KeptRuns,
        query={"path": {"type": "string", "minLength": 1, "maxLength": 1000}},
    )
    async def get(self) -> None:
        """List the runs of a notebook whose outputs no page has put into their cells yet."""
        path = self.get_query_argument("path", "", strip=False)
        kept = await (await self.services()).store.outputs.of(self.owner, path)
        self.set_header("Content-Type", "application/json")
        # One by one: what they have shown is JSON already, and may be long.
        self.write('{"runs":[')
        for number, run in enumerate(kept):
            self.write(f"{',' if number else ''}{_written(run)}")
            await self.flush()
        self.finish("]}")


class KeptOutputsHandler(StopChatHandler):
    """The handler of `cell-outputs/{message_id}/{call_id}`."""

    @Operation("drop_cell_outputs", "write", status=204)
    async def delete(self, message_id: str, call_id: str) -> None:
        """Keep the outputs of a run no longer: they are in their cell, or never will be."""
        services = await self.services()
        await services.engine.message(self.owner, message_id, "assistant")
        await services.store.outputs.drop(self.owner, message_id, call_id)
        self.set_status(204)
        self.finish()


def _written(run: KeptRun) -> str:
    told = KeptOutputs(
        message_id=run.message_id,
        call_id=run.call_id,
        path=run.path,
        cell_id=run.cell_id,
        source_digest=run.digest,
        execution_count=run.execution_count,
        ended_at=run.ended_at,
    )
    head = told.model_dump_json(exclude_none=True, exclude={"outputs"})
    return f'{head[:-1]},"outputs":{run.outputs}}}'
