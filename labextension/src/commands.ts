/** Every action as a JupyterLab command: for the palette, the menus and keyboard shortcuts. */
import { ICommandPalette } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { PanelView } from './context';
import { ChatController } from './controller';
import { ExportFormat } from './history';
import { chatIcon } from './icon';
import { isBusy, queued } from './replies';

export const CommandIDs = {
  open: 'stop-chat:open',
  newChat: 'stop-chat:new',
  chats: 'stop-chat:chats',
  rename: 'stop-chat:rename',
  deleteChat: 'stop-chat:delete',
  exportMarkdown: 'stop-chat:export-markdown',
  exportNotebook: 'stop-chat:export-notebook',
  exportJson: 'stop-chat:export-json',
  stop: 'stop-chat:stop',
  stopAll: 'stop-chat:stop-all',
  sendNext: 'stop-chat:send-next',
  clearQueue: 'stop-chat:clear-queue'
};

/** What the commands act on. */
export interface CommandTargets {
  controller: ChatController;
  view: PanelView;
  /** Show the panel. */
  open: () => void;
  deleteChat: (chatId: string, title: string) => Promise<void>;
  exportChat: (chatId: string, format: ExportFormat, title: string) => Promise<void>;
}

interface Action {
  label: string;
  icon?: typeof chatIcon;
  isEnabled?: () => boolean;
  execute: () => unknown;
}

export function addCommands(
  commands: CommandRegistry,
  palette: ICommandPalette | null,
  trans: TranslationBundle,
  { controller, view, open, deleteChat, exportChat }: CommandTargets
): void {
  const chat = () => controller.getSnapshot().chat;
  const isKnown = (): boolean => chat().chatId !== null;
  const title = (): string => chat().chat?.title || trans.__('Untitled chat');
  const exporting = (label: string, format: ExportFormat): Action => ({
    label,
    isEnabled: isKnown,
    execute: () => exportChat(chat().chatId as string, format, title())
  });
  const actions: Record<keyof typeof CommandIDs, Action> = {
    open: { label: trans.__('Open Stop Chat'), icon: chatIcon, execute: open },
    newChat: {
      label: trans.__('New Chat'),
      execute: () => {
        view.showList(false);
        controller.newChat();
        open();
      }
    },
    chats: {
      label: trans.__('Show Chats'),
      execute: () => {
        view.showList(true);
        open();
      }
    },
    rename: {
      label: trans.__('Rename Chat…'),
      isEnabled: isKnown,
      execute: () => {
        view.rename(true);
        open();
      }
    },
    deleteChat: {
      label: trans.__('Delete Chat…'),
      isEnabled: isKnown,
      execute: () => deleteChat(chat().chatId as string, title())
    },
    exportMarkdown: exporting(trans.__('Export Chat as Markdown'), 'md'),
    exportNotebook: exporting(trans.__('Export Chat as Notebook'), 'ipynb'),
    exportJson: exporting(trans.__('Export Chat as JSON'), 'json'),
    stop: {
      label: trans.__('Stop Generating'),
      isEnabled: () => isBusy(chat()),
      execute: () => controller.stop()
    },
    stopAll: { label: trans.__('Stop All Generations'), execute: () => controller.stopAll() },
    sendNext: {
      label: trans.__('Send Next Queued Prompt'),
      isEnabled: () => chat().chat?.state === 'paused',
      execute: () => controller.queue.resume()
    },
    clearQueue: {
      label: trans.__('Clear Queued Prompts'),
      isEnabled: () => queued(chat()).length > 0,
      execute: () => controller.queue.clear()
    }
  };
  for (const [name, action] of Object.entries(actions)) {
    commands.addCommand(CommandIDs[name as keyof typeof CommandIDs], {
      describedBy: { args: { type: 'object', properties: {} } },
      ...action
    });
  }
  let before = '';
  controller.subscribe(() => {
    const now = [isKnown(), isBusy(chat()), chat().chat?.state, queued(chat()).length].join();
    if (now !== before) {
      before = now;
      commands.notifyCommandChanged();
    }
  });
  for (const command of Object.values(CommandIDs)) {
    palette?.addItem({ command, category: trans.__('Stop Chat') });
  }
}
