/** Every action as a JupyterLab command: for the palette and keyboard shortcuts. */
import { ICommandPalette } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { ChatController } from './controller';
import { chatIcon } from './icon';
import { isBusy } from './replies';

export const CommandIDs = {
  open: 'stop-chat:open',
  newChat: 'stop-chat:new',
  stop: 'stop-chat:stop',
  stopAll: 'stop-chat:stop-all'
};

export function addCommands(
  commands: CommandRegistry,
  palette: ICommandPalette | null,
  trans: TranslationBundle,
  chat: { controller: ChatController; open: () => void }
): void {
  const { controller } = chat;
  commands.addCommand(CommandIDs.open, {
    label: trans.__('Open Stop Chat'),
    icon: chatIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => chat.open()
  });
  commands.addCommand(CommandIDs.newChat, {
    label: trans.__('New Chat'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => {
      controller.newChat();
      chat.open();
    }
  });
  commands.addCommand(CommandIDs.stop, {
    label: trans.__('Stop Generating'),
    describedBy: { args: { type: 'object', properties: {} } },
    isEnabled: () => isBusy(controller.getSnapshot().chat),
    execute: () => controller.stop()
  });
  commands.addCommand(CommandIDs.stopAll, {
    label: trans.__('Stop All Generations'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => controller.stopAll()
  });
  let wasBusy = false;
  controller.subscribe(() => {
    const busy = isBusy(controller.getSnapshot().chat);
    if (busy !== wasBusy) {
      wasBusy = busy;
      commands.notifyCommandChanged(CommandIDs.stop);
    }
  });
  for (const command of Object.values(CommandIDs)) {
    palette?.addItem({ command, category: trans.__('Stop Chat') });
  }
}
