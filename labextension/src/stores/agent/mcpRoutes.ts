/** The HTTP routes of MCP servers: which there are, what they offer, what they wrote. */
import { Ask } from '../server';

/** A request has room for so many tools only, or not every provider takes an argument's name. */
export type LeftOut = 'no_room' | 'arguments';

/** A tool of an MCP server; what describes it are the server's own words. */
export interface McpTool {
  /** The name by which models know it. */
  readonly name: string;
  readonly own_name: string;
  readonly description: string;
  /** Of all that its server says of it: it is allowed as it was seen. */
  readonly digest: string;
  readonly on: boolean;
  /** It acts unasked in all chats; and in which it does. */
  readonly allowed: boolean;
  readonly allowed_chats: readonly string[];
  /** It is on, and no model is offered it. */
  readonly left_out: LeftOut | null;
  /** Arguments that no model is told of: not every provider takes their names. */
  readonly left_out_arguments: readonly string[];
}

export interface McpServer {
  readonly name: string;
  readonly kind: 'stdio' | 'http';
  readonly source: 'settings' | 'own';
  readonly state: 'not_started' | 'starting' | 'ready' | 'idle' | 'failed' | 'gone';
  readonly failure?: string | null;
  readonly tools: readonly McpTool[];
  /** How many tools more it has. */
  readonly left_out: number;
}

export interface McpListing {
  readonly servers: readonly McpServer[];
  /** Whether a person may have a file of them. */
  readonly may_own: boolean;
  /** The administrator has each tool asked for each time. */
  readonly locked: boolean;
  /** What is wrong with that file. */
  readonly failure?: string | null;
}

export interface McpRoutes {
  list(): Promise<McpListing>;
  switch(server: string, tool: string, on: boolean): Promise<void>;
  /** Let a tool act unasked in all chats, if it is what its digest says. */
  allow(server: string, tool: string, digest: string): Promise<void>;
  retry(server: string): Promise<void>;
  log(server: string): Promise<readonly string[]>;
}

/** How long to wait for an answer, in milliseconds. */
const PATIENCE = 60_000;

export function mcpRoutesOf(ask: Ask): McpRoutes {
  const at = (server: string, ...more: string[]): string[] => ['mcp', 'servers', server, ...more];
  return {
    list: async () => {
      const answer = await ask(['mcp', 'servers'], { patience: PATIENCE });
      const said = (await answer.json()) as Partial<McpListing>;
      const { servers = [], may_own = false, locked = false, failure } = said;
      return {
        ...{ may_own, locked, failure },
        servers: servers.map(one => ({
          ...one,
          left_out: one.left_out ?? 0,
          tools: (one.tools ?? []).map(tool => ({
            ...tool,
            digest: tool.digest ?? '',
            ...{ allowed: tool.allowed ?? false, allowed_chats: tool.allowed_chats ?? [] },
            ...{ left_out: tool.left_out ?? null, left_out_arguments: tool.left_out_arguments ?? [] }
          }))
        }))
      };
    },
    switch: async (server, tool, on) => {
      const body = { on };
      await ask(at(server, 'tools', tool), { method: 'PUT', body, patience: PATIENCE });
    },
    allow: async (server, tool, digest) => {
      const path = at(server, 'tools', tool, 'allowed');
      await ask(path, { method: 'PUT', body: { digest }, patience: PATIENCE });
    },
    retry: async server => {
      await ask(at(server, 'retry'), { method: 'POST', patience: PATIENCE });
    },
    log: async server => {
      const answer = await ask(at(server, 'log'), { patience: PATIENCE });
      const { lines = [] } = (await answer.json()) as { lines?: readonly string[] };
      return lines;
    }
  };
}
