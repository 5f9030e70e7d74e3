/** The plugins and the tokens: what JupyterLab loads. */
import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, IThemeManager } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { PageConfig } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IEditorTracker } from '@jupyterlab/fileeditor';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';

import { Attaching } from './lab/attaching';
import { LiveBody } from './text/body';
import { browserClock } from './wire/clock';
import { addCommands, CommandIDs } from './lab/commands';
import { connectWith, isOffOn } from './wire/connect';
import { PanelView } from './panel/context';
import { ChatController } from './chat/controller';
import { Desk } from './chat/desk';
import { diagramsOf } from './text/diagrams';
import { deleteChat, exportChat } from './lab/dialogs';
import { endNoticeOf } from './lab/endNotice';
import { ChatHistory } from './stores/history';
import { chatIcon } from './lab/icon';
import { newId } from './chat/ids';
import {
  rememberChat,
  rememberedChat,
  rememberedMarks,
  rememberedModel,
  rememberMarks,
  rememberModel
} from './stores/memory';
import { menusOf } from './lab/menu';
import { ModelChoice } from './stores/modelChoice';
import { modelRoutesOf } from './stores/modelRoutes';
import { isNotebook, keepOpen } from './lab/notebookApp';
import { codeActionsOn } from './lab/notebooks';
import { StopChatPanel } from './panel/panel';
import { Place } from './chat/place';
import { makeRender, Render, warmUp } from './text/rendering';
import { routesOf } from './stores/routes';
import { schedule } from './stores/schedule';
import { PLUGIN_ID, StopChatSettings } from './stores/settings';
import { keepFocusAtStart } from './lab/startFocus';
import { tabsOf } from './lab/tabs';
import { Views } from './lab/views';

/** The chat of the sidebar, for other extensions. */
export interface IStopChat {
  /** The chat that the sidebar shows now. */
  readonly controller: ChatController;
  /** Show Markdown that grows, as the chat does. */
  readonly textIn: (host: HTMLElement) => LiveBody;
  /** Render a piece of Markdown as the chat does: sanitized, nothing fetched from elsewhere. */
  readonly render: Render;
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
  optional: [
    ISettingRegistry,
    ITranslator,
    ICommandPalette,
    ILayoutRestorer,
    INotebookTracker,
    IEditorTracker,
    IDocumentManager,
    IEditorLanguageRegistry,
    IThemeManager
  ],
  activate: (
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null,
    editors: IEditorTracker | null,
    documents: IDocumentManager | null,
    languages: IEditorLanguageRegistry | null,
    themes: IThemeManager | null
  ): IStopChat => {
    const trans = (translator ?? nullTranslator).load('jupyter_stop_chat');
    const settings = new StopChatSettings(registry);
    const server = app.serviceManager.serverSettings;
    const unreachable = trans.__('The server did not answer. Try again.');
    const models = new ModelChoice({
      routes: modelRoutesOf(server, unreachable),
      clock: browserClock,
      chosen: rememberedModel(server.baseUrl),
      remember: model => rememberModel(server.baseUrl, model)
    });
    const desk = new Desk({
      clock: browserClock,
      connect: () => connectWith(server),
      isOff: () => isOffOn(server),
      makeId: newId,
      settings: settings.getSnapshot,
      picked: models,
      words: {
        notConnected: trans.__('there is no connection to the server.'),
        noAnswer: trans.__('the server did not answer.'),
        promptTooLong: trans.__(
          'The prompt is too long: it may have %1 characters, and %2 KiB with what is attached. Shorten it and send it again.'
        )
      },
      nextFrame: schedule,
      onFrame: frame => {
        history.take(frame);
        models.take(frame);
      },
      onEnd: (reply, controller) => tellEnd(reply, controller)
    });
    const history: ChatHistory = new ChatHistory({
      routes: routesOf(server, unreachable),
      isShown: chatId => views.shows(chatId),
      marks: rememberedMarks(server.baseUrl),
      rememberMarks: marks => rememberMarks(server.baseUrl, marks)
    });
    const render = makeRender({
      registry: rendermime,
      languages,
      diagrams: diagramsOf(themes),
      trans,
      showsRemote: () => settings.getSnapshot().remoteImages
    });
    const code = codeActionsOn(notebooks);
    const attaching = new Attaching({ app, trans, translator, notebooks, editors, documents });
    const remove = async (chatId: string, title: string): Promise<void> => {
      await deleteChat(history, trans, chatId, title);
    };
    const makePanel = (
      chat: ChatController | string | null,
      onChat?: (chatId: string | null) => void
    ): StopChatPanel => {
      const panel = new StopChatPanel({
        place: new Place(desk, chat, onChat),
        history,
        models,
        view: new PanelView(),
        trans,
        render,
        code,
        attaching,
        settings,
        openMenu: menusOf(app.commands),
        deleteChat: remove,
        schedule
      });
      panel.onFirstShow = () => warmUp(render);
      return panel;
    };

    const sidebar = makePanel(rememberedChat(server.baseUrl), chatId =>
      rememberChat(server.baseUrl, chatId)
    );
    sidebar.id = 'jupyter-stop-chat';
    sidebar.title.icon = chatIcon;
    sidebar.title.caption = trans.__('Stop Chat');
    const views = new Views(sidebar);
    app.shell.add(sidebar, 'left', { rank: 900, type: 'Stop Chat' });
    restorer?.add(sidebar, sidebar.id);
    const openTab = tabsOf({ app, restorer, trans, views, makePanel });
    const open = (chatId?: string): void => {
      if (chatId) {
        sidebar.view.showList(false);
        sidebar.place.show(chatId);
      }
      app.shell.activateById(sidebar.id);
    };
    const tellEnd = endNoticeOf({
      trans,
      isOn: () => settings.getSnapshot().notifications,
      shows: chatId => views.shows(chatId),
      open: chatId => open(chatId)
    });
    addCommands(app.commands, palette, trans, {
      opensItself: isNotebook(app),
      desk,
      views,
      attaching,
      code,
      open,
      show: () => app.shell.activateById(views.current.id),
      openTab,
      deleteChat: remove,
      exportChat: (chatId, format, title) => exportChat(history, chatId, format, title)
    });
    views.subscribe(() => views.shown.forEach(chatId => history.seen(chatId)));
    desk.connect();
    keepOpen(app, sidebar, server.baseUrl);
    void Promise.all([app.restored, settings.ready]).then(() => {
      const wanted = settings.getSnapshot().openAtStart;
      if (wanted || PageConfig.getOption('stopChatOpen') === 'true') {
        void Promise.resolve(app.commands.execute(CommandIDs.open)).then(() =>
          keepFocusAtStart(sidebar.node, () => sidebar.focusInput())
        );
      }
    });
    return {
      get controller() {
        return sidebar.place.controller;
      },
      textIn: host =>
        new LiveBody(host, {
          render,
          growCode: render.growCode,
          schedule,
          now: () => performance.now()
        }),
      render
    };
  }
};

export default plugin;
