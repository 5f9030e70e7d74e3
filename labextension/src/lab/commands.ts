/** Every action as a JupyterLab command: for the palette, the menus and keyboard shortcuts. */
import { ICommandPalette } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { Attaching, Which } from './attaching';
import { ChatFiles } from './chatFiles';
import { CodeActions } from '../text/codeTools';
import { ChatController } from '../chat/controller';
import { OpenChats } from '../chat/openChats';
import { isTerminal } from '../wire/guards';
import { ChatHistory, ExportFormat } from '../stores/history';
import { deleteChat, renameChat } from './dialogs';
import { chatIcon } from './icon';
import { InstructionDialogs } from './instructions';
import { goesOn, wasSent } from '../panel/messages/endWords';
import { MessageView } from '../chat/messages';
import { isSendable } from '../chat/prompt';
import { isBusy, isPaused, queued, visible } from '../chat/selectors';
import { Views } from './views';

export const CommandIDs = {
  open: 'stop-chat:open',
  focus: 'stop-chat:focus',
  openTab: 'stop-chat:open-tab',
  newChat: 'stop-chat:new',
  chats: 'stop-chat:chats',
  rename: 'stop-chat:rename',
  instructions: 'stop-chat:instructions',
  deleteChat: 'stop-chat:delete',
  exportMarkdown: 'stop-chat:export-markdown',
  exportNotebook: 'stop-chat:export-notebook',
  exportJson: 'stop-chat:export-json',
  importChat: 'stop-chat:import',
  stop: 'stop-chat:stop',
  stopAll: 'stop-chat:stop-all',
  stopMessage: 'stop-chat:stop-reply',
  stopAndSend: 'stop-chat:stop-and-send',
  queueDraft: 'stop-chat:queue',
  sendNext: 'stop-chat:send-next',
  clearQueue: 'stop-chat:clear-queue',
  continueReply: 'stop-chat:continue',
  regenerate: 'stop-chat:regenerate',
  copyReply: 'stop-chat:copy-reply',
  whatWasSent: 'stop-chat:what-was-sent',
  restorePrompt: 'stop-chat:restore-prompt',
  attachSelection: 'stop-chat:attach-selection',
  attachCell: 'stop-chat:attach-cell',
  attachOutput: 'stop-chat:attach-output',
  attachFiles: 'stop-chat:attach-files',
  attachSelectedFiles: 'stop-chat:attach-selected-files',
  attachUpload: 'stop-chat:attach-upload',
  chooseModel: 'stop-chat:choose-model',
  settings: 'stop-chat:settings'
};

/** JupyterLab's own command that opens the settings. */
const SETTINGS_EDITOR = 'settingeditor:open';

/** What the commands act on. */
export interface CommandTargets {
  /** The page has an entry of its own in its palette that opens the sidebar. */
  opensItself: boolean;
  openChats: OpenChats;
  views: Views;
  attaching: Attaching;
  code: CodeActions;
  /** The person chooses the model, and not who runs the server. */
  mayChoose: () => boolean;
  /** Show the sidebar; with a chat, that one. */
  open: (chatId?: string) => void;
  /** Show the view that the person used last. */
  show: () => void;
  /** Show a chat in a tab of the main area: one that is open already, or else a new one. */
  openTab: (chat: ChatController | string | null, withoutPlace?: boolean) => unknown;
  history: ChatHistory;
  instructions: InstructionDialogs;
  files: ChatFiles;
}

interface Action {
  label: string | ((args: ReadonlyPartialJSONObject) => string);
  icon?: typeof chatIcon;
  args?: string;
  isEnabled?: (args: ReadonlyPartialJSONObject) => boolean;
  isVisible?: (args: ReadonlyPartialJSONObject) => boolean;
  execute: (args: ReadonlyPartialJSONObject) => unknown;
}

/** Call an action otherwise where it stands in a menu of something else, and needs fewer words. */
const inMenu =
  (there: string, elsewhere: string) =>
  (args: ReadonlyPartialJSONObject): string =>
    args.place === 'menu' ? there : elsewhere;

const cellOf = (args: ReadonlyPartialJSONObject): Which =>
  args.place === 'menu' ? 'pointed at' : 'active';

export function addCommands(
  commands: CommandRegistry,
  palette: ICommandPalette | null,
  trans: TranslationBundle,
  targets: CommandTargets
): void {
  const { openChats, views, attaching, code } = targets;
  const { open, show, openTab, history, instructions, files } = targets;
  const controller = (): ChatController => views.current.shownChat.controller;
  const chat = () => controller().getSnapshot().chat;
  /** The chat that a menu is for: its id, null for a new one, and its title. */
  const which = ({ chatId }: ReadonlyPartialJSONObject): [string | null, string] => {
    const id = (chatId as string | undefined) ?? chat().chatId;
    const shown = chat().chat;
    const known = shown?.id === id ? shown : history.getSnapshot().chats.find(one => one.id === id);
    return [id, known?.title ?? ''];
  };
  const isKnown = (args: ReadonlyPartialJSONObject): boolean => which(args)[0] !== null;
  const withChat =
    (what: (chatId: string, title: string) => unknown) =>
    (args: ReadonlyPartialJSONObject): unknown => {
      const [chatId, title] = which(args);
      return chatId === null ? undefined : what(chatId, title);
    };
  const exporting = (label: string, format: ExportFormat): Action => ({
    label,
    args: 'chatId',
    isEnabled: isKnown,
    execute: withChat((chatId, title) => files.export(chatId, format, title))
  });
  /** The reply that a menu is for; from the palette, the newest. */
  const reply = (args: ReadonlyPartialJSONObject): MessageView | undefined => {
    const all = visible(chat()).filter(view => view.role === 'assistant');
    return args.messageId ? all.find(view => view.id === args.messageId) : all[all.length - 1];
  };
  const ended = (args: ReadonlyPartialJSONObject): boolean => {
    const one = reply(args);
    return one !== undefined && isTerminal(one.info.state) && !isBusy(chat());
  };
  const runs = (args: ReadonlyPartialJSONObject): boolean => {
    const one = reply(args);
    return one !== undefined && !one.frozen && !isTerminal(one.info.state);
  };
  const draftWaits = (): boolean => isSendable(controller().getSnapshot().prompt);
  const attach = (one: ReturnType<Attaching['selection']>): void => {
    if (one) {
      attaching.attach(controller(), one);
    }
    show();
  };
  const actions: Record<keyof typeof CommandIDs, Action> = {
    open: {
      label: trans.__('Open Stop Chat'),
      icon: chatIcon,
      args: 'chatId',
      execute: ({ chatId }) => open(chatId as string | undefined)
    },
    focus: {
      label: trans.__('Go to the Prompt'),
      execute: () => {
        views.current.view.showList(false);
        show();
      }
    },
    openTab: {
      label: trans.__('Open Chat in a Tab'),
      icon: chatIcon,
      args: 'chatId',
      execute: ({ chatId, withoutPlace }) =>
        openTab(chatId === undefined ? controller() : (chatId as string | null), !!withoutPlace)
    },
    newChat: {
      label: trans.__('New Chat'),
      execute: () => {
        views.current.view.showList(false);
        views.current.shownChat.show(null);
        show();
      }
    },
    chats: {
      label: trans.__('Show Chats'),
      execute: () => {
        views.current.view.showList(true);
        show();
      }
    },
    rename: {
      label: trans.__('Rename Chat…'),
      args: 'chatId',
      isEnabled: isKnown,
      execute: args => {
        if (args.chatId) {
          return withChat((chatId, title) => renameChat(history, trans, chatId, title))(args);
        }
        views.current.view.rename(true);
        return show();
      }
    },
    instructions: {
      label: trans.__('Instructions…'),
      args: 'chatId',
      execute: args => instructions.edit(which(args)[0])
    },
    deleteChat: {
      label: trans.__('Delete Chat…'),
      args: 'chatId',
      isEnabled: isKnown,
      execute: withChat((chatId, title) => deleteChat(history, trans, chatId, title))
    },
    exportMarkdown: exporting(trans.__('Export Chat as Markdown'), 'md'),
    exportNotebook: exporting(trans.__('Export Chat as Notebook'), 'ipynb'),
    exportJson: exporting(trans.__('Export Chat as JSON'), 'json'),
    importChat: {
      label: trans.__('Import Chat…'),
      execute: async () => {
        const view = views.current;
        const added = await files.import();
        if (added) {
          view.view.showList(false);
          view.shownChat.show(added.id);
        }
        show();
      }
    },
    stop: {
      label: trans.__('Stop Generating'),
      isEnabled: () => isBusy(chat()),
      execute: () => controller().stop()
    },
    stopAll: {
      label: trans.__('Stop All Generations'),
      execute: () => openChats.stopAll(controller())
    },
    stopMessage: {
      label: trans.__('Stop This Reply'),
      args: 'messageId',
      isEnabled: runs,
      isVisible: args => !args.messageId || runs(args), // the menu of a reply that has ended
      execute: args => controller().stopMessage(reply(args)?.id ?? '')
    },
    stopAndSend: {
      label: trans.__('Stop and Send'),
      isEnabled: () => isBusy(chat()) && draftWaits(),
      execute: () => {
        controller().stopAndSend();
        show();
      }
    },
    queueDraft: {
      label: trans.__('Send After This Reply'),
      isEnabled: () => isBusy(chat()) && draftWaits(),
      execute: () => {
        controller().queueDraft();
        show();
      }
    },
    sendNext: {
      label: trans.__('Send Next Queued Prompt'),
      isEnabled: () => isPaused(chat()),
      execute: () => controller().queue.resume()
    },
    clearQueue: {
      label: trans.__('Clear Queued Prompts'),
      isEnabled: () => queued(chat()).length > 0,
      execute: () => controller().queue.clear()
    },
    continueReply: {
      label: trans.__('Continue the Reply'),
      isEnabled: args => {
        const info = reply(args)?.info;
        return ended(args) && info !== undefined && info.text_length > 0 && goesOn(info);
      },
      execute: args => controller().continueFrom(reply(args)?.id ?? '')
    },
    regenerate: {
      label: trans.__('Regenerate'),
      args: 'messageId',
      isEnabled: ended,
      execute: args => controller().regenerate(reply(args)?.id ?? '')
    },
    copyReply: {
      label: trans.__('Copy the Reply'),
      args: 'messageId',
      isEnabled: args => (reply(args)?.info.text_length ?? 0) > 0,
      execute: async args => {
        const whole = await controller().whole(reply(args)?.id ?? '');
        return whole !== null && code.copy(whole.text);
      }
    },
    whatWasSent: {
      label: trans.__('What Was Sent…'),
      args: 'messageId',
      isEnabled: args => wasSent(reply(args)?.info),
      execute: args => instructions.showSent(reply(args)?.id ?? '')
    },
    restorePrompt: {
      label: trans.__('Restore the Stopped Prompt'),
      isEnabled: () => controller().getSnapshot().prompt.chip !== null,
      execute: () => {
        controller().swapChip();
        show();
      }
    },
    attachSelection: {
      label: trans.__('Attach the Selection'),
      isEnabled: () => attaching.selection() !== null,
      execute: () => attach(attaching.selection())
    },
    attachCell: {
      label: inMenu(trans.__('Attach the Cell to Stop Chat'), trans.__('Attach the Active Cell')),
      args: 'place',
      isEnabled: args => attaching.cell(cellOf(args)) !== null,
      execute: args => attach(attaching.cell(cellOf(args)))
    },
    attachOutput: {
      label: inMenu(
        trans.__('Attach the Output to Stop Chat'),
        trans.__('Attach the Output of the Active Cell')
      ),
      args: 'place',
      isEnabled: args => attaching.hasOutput(cellOf(args)),
      execute: async args => {
        await attaching.attachOutput(controller(), cellOf(args));
        show();
      }
    },
    attachSelectedFiles: {
      label: inMenu(
        trans.__('Attach to Stop Chat'),
        trans.__('Attach the Files Selected in the File Browser')
      ),
      args: 'place',
      isEnabled: () => attaching.selectedFiles.length > 0,
      execute: async () => {
        await attaching.attachPaths(controller(), attaching.selectedFiles);
        show();
      }
    },
    attachFiles: {
      label: trans.__('Attach Files…'),
      isEnabled: () => attaching.canChoose,
      execute: async () => {
        await attaching.choose(controller());
        show();
      }
    },
    attachUpload: {
      label: trans.__('Attach Files from This Computer…'),
      execute: () => attaching.upload(controller())
    },
    chooseModel: {
      label: trans.__('Choose a Model…'),
      isEnabled: targets.mayChoose,
      execute: () => {
        show();
        views.current.openPicker();
      }
    },
    settings: {
      label: trans.__('Stop Chat Settings…'),
      isEnabled: () => commands.hasCommand(SETTINGS_EDITOR),
      execute: () => commands.execute(SETTINGS_EDITOR, { query: trans.__('Stop Chat') })
    }
  };
  for (const [name, { args, ...action }] of Object.entries(actions)) {
    commands.addCommand(CommandIDs[name as keyof typeof CommandIDs], {
      describedBy: {
        args: {
          type: 'object',
          properties: args ? { [args]: { type: ['string', 'null'] } } : {}
        }
      },
      ...action
    });
  }
  let before = '';
  views.subscribe(() => {
    const { prompt } = controller().getSnapshot();
    const now = [
      ...[controller().key, isKnown({}), isBusy(chat()), chat().chat?.state, queued(chat()).length],
      ...[isSendable(prompt), prompt.chip !== null, reply({})?.info.state]
    ].join();
    if (now !== before) {
      before = now;
      commands.notifyCommandChanged();
    }
  });
  for (const command of Object.values(CommandIDs)) {
    if (command !== CommandIDs.open || !targets.opensItself) {
      palette?.addItem({ command, category: trans.__('Stop Chat') });
    }
  }
}
