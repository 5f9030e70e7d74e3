/** The menus of the panel's buttons: commands, as everywhere in JupyterLab. */
import { CommandRegistry } from '@lumino/commands';
import { ReadonlyJSONObject } from '@lumino/coreutils';
import { Menu } from '@lumino/widgets';

import { CommandIDs } from './commands';
import { ALLOWED_TOOLS } from './tools/allowedTools';
import { MCP_SERVERS } from './tools/mcp/mcpCommand';
import { MenuName } from '../panel/context';

const SEPARATOR = null;

const ITEMS: Record<MenuName, readonly (string | typeof SEPARATOR)[]> = {
  chat: [
    CommandIDs.openTab,
    CommandIDs.rename,
    CommandIDs.instructions,
    ALLOWED_TOOLS,
    MCP_SERVERS,
    SEPARATOR,
    CommandIDs.exportMarkdown,
    CommandIDs.exportNotebook,
    CommandIDs.exportJson,
    CommandIDs.importChat,
    SEPARATOR,
    CommandIDs.settings,
    SEPARATOR,
    CommandIDs.deleteChat
  ],
  row: [
    CommandIDs.rename,
    SEPARATOR,
    CommandIDs.exportMarkdown,
    CommandIDs.exportNotebook,
    CommandIDs.exportJson,
    SEPARATOR,
    CommandIDs.deleteChat
  ],
  draft: [CommandIDs.stopAndSend, CommandIDs.queueDraft, SEPARATOR, CommandIDs.stop],
  attach: [
    CommandIDs.attachSelection,
    CommandIDs.attachCell,
    SEPARATOR,
    CommandIDs.attachFiles,
    CommandIDs.attachUpload
  ],
  reply: [CommandIDs.stopMessage, CommandIDs.regenerate, CommandIDs.copyReply, CommandIDs.whatWasSent]
};

/** Return a function that opens a menu at a button. */
export function menusOf(
  commands: CommandRegistry
): (which: MenuName, button: HTMLElement, args?: ReadonlyJSONObject) => void {
  return (which, button, args = {}) => {
    const menu = new Menu({ commands });
    for (const command of ITEMS[which]) {
      menu.addItem(command === SEPARATOR ? { type: 'separator' } : { command, args });
    }
    const { left, top, bottom } = button.getBoundingClientRect();
    // what does not fit below is opened above the point that is given
    menu.open(left, top > window.innerHeight / 2 ? top : bottom);
    menu.activeIndex = menu.items.findIndex(item => item.type === 'command' && item.isVisible && item.isEnabled);
    menu.aboutToClose.connect(() => {
      button.focus();
      setTimeout(() => menu.dispose()); // the command that was chosen runs first
    });
  };
}
