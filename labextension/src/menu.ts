/** The menu of the chat that is shown. */
import { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

import { CommandIDs } from './commands';

/** Make what opens the menu below a button. */
export function chatMenu(commands: CommandRegistry): (button: HTMLElement) => void {
  let menu: Menu | null = null;
  return button => {
    menu ??= makeMenu(commands);
    const { left, bottom } = button.getBoundingClientRect();
    menu.open(left, bottom);
    menu.aboutToClose.connect(giveBack);
    function giveBack(closed: Menu): void {
      closed.aboutToClose.disconnect(giveBack);
      button.focus();
    }
  };
}

function makeMenu(commands: CommandRegistry): Menu {
  const menu = new Menu({ commands });
  menu.addItem({ command: CommandIDs.rename });
  menu.addItem({ type: 'separator' });
  menu.addItem({ command: CommandIDs.exportMarkdown });
  menu.addItem({ command: CommandIDs.exportNotebook });
  menu.addItem({ command: CommandIDs.exportJson });
  menu.addItem({ type: 'separator' });
  menu.addItem({ command: CommandIDs.deleteChat });
  return menu;
}
