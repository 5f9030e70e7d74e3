"""The HTTP routes of MCP servers: which there are, what they offer, what they wrote."""

from __future__ import annotations

from jupyter_stop_chat.mcp_servers import ServerInfo
from jupyter_stop_chat.server.base import StopChatHandler
from jupyter_stop_chat.server.openapi import Operation
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.mcp_routes import (
    McpAllow,
    McpLog,
    McpServer,
    McpServers,
    McpSwitch,
    McpTool,
)


class McpServersHandler(StopChatHandler):
    """The handler of `mcp/servers`."""

    @Operation("list_mcp_servers", "read", McpServers)
    async def get(self) -> None:
        """List your MCP servers; none is started for that."""
        services = await self.services()
        found, failure = await services.mcp.listing(self.owner)
        rules = await services.store.allowed_tools.rules(self.owner)
        servers = tuple(_told(each, rules) for each in found)
        may_own = services.mcp.may_own(self.owner)
        locked = services.engine.approvals.locked
        self.answer(McpServers(servers=servers, may_own=may_own, locked=locked, failure=failure))


class McpToolHandler(StopChatHandler):
    """The handler of `mcp/servers/{server}/tools/{tool}`."""

    @Operation("switch_mcp_tool", "write", status=204, body=McpSwitch)
    async def put(self, server: str, tool: str) -> None:
        """Let models use a tool, or not; it is kept for all of your chats."""
        asked = self.body(McpSwitch)
        mcp = (await self.services()).mcp
        try:
            found = await mcp.switch(self.owner, server, tool, on=asked.on)
        except OSError as error:
            detail = f"the switch cannot be kept: {type(error).__name__}"
            raise StopChatError(ErrorCode.INTERNAL, detail) from error
        if not found:
            raise StopChatError(ErrorCode.UNKNOWN_MCP)
        self.set_status(204)
        self.finish()


class McpAllowedHandler(StopChatHandler):
    """The handler of `mcp/servers/{server}/tools/{tool}/allowed`."""

    @Operation("allow_mcp_tool", "execute", status=204, body=McpAllow, failures=(409,))
    async def put(self, server: str, tool: str) -> None:
        """Let a tool act unasked in all of your chats, as long as it is what you saw."""
        digest = self.body(McpAllow).digest
        services = await self.services()
        found = await services.mcp.tool(self.owner, server, tool)
        if found is None:
            raise StopChatError(ErrorCode.UNKNOWN_MCP)
        if found.edition != digest:
            raise StopChatError(ErrorCode.TOOL_CHANGED)
        await services.engine.approvals.allow(self.owner, found.rule)
        self.set_status(204)
        self.finish()


class McpRetryHandler(StopChatHandler):
    """The handler of `mcp/servers/{server}/retry`."""

    @Operation("retry_mcp_server", "execute", status=204)
    async def post(self, server: str) -> None:
        """End an MCP server, and whatever it does, and start it anew."""
        if not await (await self.services()).mcp.retry(self.owner, server):
            raise StopChatError(ErrorCode.UNKNOWN_MCP)
        self.set_status(204)
        self.finish()


class McpLogHandler(StopChatHandler):
    """The handler of `mcp/servers/{server}/log`."""

    @Operation("get_mcp_log", "read", McpLog)
    async def get(self, server: str) -> None:
        """Return the last lines that an MCP server wrote."""
        lines = await (await self.services()).mcp.log(self.owner, server)
        if lines is None:
            raise StopChatError(ErrorCode.UNKNOWN_MCP)
        self.answer(McpLog(lines=lines))


def _told(server: ServerInfo, rules: list[tuple[str, str]]) -> McpServer:
    tools = []
    for each in server.tools:
        chats = [chat for chat, rule in rules if rule == each.rule]
        tools.append(
            McpTool(
                name=each.name,
                own_name=each.own_name,
                description=each.description,
                digest=each.edition,
                on=each.on,
                allowed="" in chats,
                allowed_chats=tuple(filter(None, chats)),
                left_out=each.left_out,
                left_out_arguments=each.unfit,
            )
        )
    return McpServer(
        name=server.name,
        kind=server.kind,
        source=server.source,
        state=server.state,
        failure=server.failure,
        tools=tuple(tools),
        left_out=server.unread,
    )
