/** The command that lists MCP servers and their tools in a dialog. */
import { Dialog, ICommandPalette, ReactWidget, showDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import React from 'react';

import { McpServers } from '../../../panel/mcpServers';
import { McpListing, McpRoutes } from '../../../stores/agent/mcpRoutes';
import { ToolRoutes } from '../../../stores/agent/toolRoutes';

export const MCP_SERVERS = 'stop-chat:mcp-servers';

export interface McpCommandOptions {
  commands: CommandRegistry;
  palette: ICommandPalette | null;
  trans: TranslationBundle;
  routes: McpRoutes;
  tools: Pick<ToolRoutes, 'askAgain'>;
  /** Tell the person what went wrong. */
  tell: (failure: string) => void;
}

/** Add the command that opens the dialog. */
export function addMcpServers(options: McpCommandOptions): void {
  const { commands, palette, trans, routes, tools, tell } = options;
  commands.addCommand(MCP_SERVERS, {
    label: trans.__('MCP Servers…'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: async () => {
      let first: McpListing;
      try {
        first = await routes.list();
      } catch (error) {
        tell(error instanceof Error ? error.message : '');
        return;
      }
      const askAgain = (tool: string, chatId: string | null): Promise<void> =>
        tools.askAgain(tool, chatId);
      await showDialog({
        title: trans.__('MCP servers'),
        body: ReactWidget.create(<McpServers {...{ first, routes, trans, askAgain }} />),
        buttons: [Dialog.okButton({ label: trans.__('Close') })],
        hasClose: true
      });
    }
  });
  palette?.addItem({ command: MCP_SERVERS, category: trans.__('Stop Chat') });
}
