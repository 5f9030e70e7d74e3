/** The plugins and the tokens: what JupyterLab loads. */
import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';

import { browserClock } from './clock';
import { addCommands, CommandIDs } from './commands';
import { connectWith } from './connect';
import { PanelView } from './context';
import { ChatController } from './controller';
import { deleteChat, exportChat } from './dialogs';
import { ChatHistory } from './history';
import { chatIcon } from './icon';
import { newId } from './ids';
import { rememberChat, rememberedChat, rememberedMarks, rememberMarks } from './memory';
import { chatMenu } from './menu';
import { codeActionsOn } from './notebooks';
import { StopChatPanel } from './panel';
import { makeRender, warmUp } from './rendering';
import { routesOf } from './routes';
import { schedule } from './schedule';
import { PLUGIN_ID, StopChatSettings } from './settings';
import { keepFocusAtStart } from './startFocus';

/** The chat of the sidebar, for other extensions. */
export interface IStopChat {
  readonly controller: ChatController;
}

export const IStopChat = new Token<IStopChat>(
  'jupyter-stop-chat:IStopChat',
  'The chat in the sidebar: send, stop, and what it shows.'
);

const plugin: JupyterFrontEndPlugin<IStopChat> = {
  id: PLUGIN_ID,
  description: 'A chat in the sidebar whose Stop really stops.',
  autoStart: true,
  provides: IStopChat,
  requires: [IRenderMimeRegistry],
  optional: [ISettingRegistry, ITranslator, ICommandPalette, ILayoutRestorer, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null
  ): IStopChat => {
    const trans = (translator ?? nullTranslator).load('jupyter_stop_chat');
    const settings = new StopChatSettings(registry);
    const server = app.serviceManager.serverSettings;
    const controller = new ChatController({
      clock: browserClock,
      connect: () => connectWith(server),
      makeId: newId,
      settings: () => settings.chat,
      words: {
        notConnected: trans.__('there is no connection to the server.'),
        noAnswer: trans.__('the server did not answer.'),
        promptTooLong: trans.__('The prompt is too long. Shorten it and send it again.')
      },
      remember: chatId => rememberChat(server.baseUrl, chatId),
      nextFrame: schedule,
      onFrame: frame => history.take(frame)
    });
    const history: ChatHistory = new ChatHistory({
      routes: routesOf(server, trans.__('The server did not answer. Try again.')),
      current: () => (panel.isVisible ? controller.getSnapshot().chat.chatId : null),
      marks: rememberedMarks(server.baseUrl),
      rememberMarks: marks => rememberMarks(server.baseUrl, marks)
    });
    const view = new PanelView();
    const render = makeRender(rendermime, trans);
    const remove = async (chatId: string, title: string): Promise<void> => {
      const gone = await deleteChat(history, trans, chatId, title);
      if (gone && controller.getSnapshot().chat.chatId === chatId) {
        controller.newChat();
      }
    };
    const panel: StopChatPanel = new StopChatPanel({
      controller,
      history,
      view,
      trans,
      render,
      code: codeActionsOn(notebooks),
      openMenu: chatMenu(app.commands),
      deleteChat: remove,
      schedule,
      sendKey: () => settings.sendKey,
      onSettings: settings.onChange
    });
    panel.id = 'jupyter-stop-chat';
    panel.onFirstShow = () => warmUp(render);
    panel.title.icon = chatIcon;
    panel.title.caption = trans.__('Stop Chat');
    app.shell.add(panel, 'left', { rank: 900, type: 'Stop Chat' });
    restorer?.add(panel, panel.id);

    addCommands(app.commands, palette, trans, {
      controller,
      view,
      open: () => app.shell.activateById(panel.id),
      deleteChat: remove,
      exportChat: (chatId, format, title) => exportChat(history, chatId, format, title)
    });
    const look = (): void => {
      const { chatId } = controller.getSnapshot().chat;
      if (chatId && panel.isVisible) {
        history.seen(chatId);
      }
    };
    controller.subscribe(look);
    panel.onShow = look;
    controller.start(rememberedChat(server.baseUrl));
    void Promise.all([app.restored, settings.ready]).then(() => {
      if (settings.openAtStart || PageConfig.getOption('stopChatOpen') === 'true') {
        void Promise.resolve(app.commands.execute(CommandIDs.open)).then(() =>
          keepFocusAtStart(() => panel.focusInput())
        );
      }
    });
    return { controller };
  }
};

export default plugin;
