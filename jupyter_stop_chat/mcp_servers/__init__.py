"""Servers of tools that speak the Model Context Protocol: which there are, and what is told.

Each session belongs to one task of one owner, which opens and closes it; a stop reaches its server
as the protocol's own cancel. What needs the package `mcp` is imported at the first session.
"""

from .owned import ServerInfo, ToolInfo
from .servers import McpServers

__all__ = ["McpServers", "ServerInfo", "ToolInfo"]
