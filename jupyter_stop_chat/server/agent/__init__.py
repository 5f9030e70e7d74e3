"""The HTTP routes of what models do: their tools, changes and runs, and MCP servers."""
