/** What happens when JupyterLab starts: the chats, their views and the commands are put together. */
import { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette, IThemeManager } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { PageConfig } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { IEditorTracker } from '@jupyterlab/fileeditor';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Attaching } from './attaching';
import { ChatFiles } from './chatFiles';
import { makeChats } from './chats';
import { codeActionsOn } from './code/actions';
import { addCommands, CommandIDs } from './commands';
import { endNoticeOf } from './endNotice';
import { widenOnce } from './firstWidth';
import { chatIcon } from './icon';
import { menusOf } from './menu';
import { isNotebook, keepOpen } from './notebookApp';
import { keepFocusAtStart } from './startFocus';
import { tabsOf } from './tabs';
import { Views } from './views';
import { ChatController } from '../chat/controller';
import { ShownChat } from '../chat/shownChat';
import { PanelView } from '../panel/context';
import { StopChatPanel } from '../panel/panel';
import { rememberChat, rememberedChat } from '../stores/memory';
import { schedule } from '../stores/schedule';
import { StopChatSettings } from '../stores/settings';
import { LiveBody } from '../text/body';
import { diagramsOf } from '../text/diagrams/diagrams';
import { makeRender, Render, warmUp } from '../text/rendering';

/** The parts of JupyterLab that are used; null where it has none. */
export interface LabParts {
  app: JupyterFrontEnd;
  rendermime: IRenderMimeRegistry;
  registry: ISettingRegistry | null;
  translator: ITranslator | null;
  palette: ICommandPalette | null;
  restorer: ILayoutRestorer | null;
  notebooks: INotebookTracker | null;
  editors: IEditorTracker | null;
  documents: IDocumentManager | null;
  browsers: IFileBrowserFactory | null;
  languages: IEditorLanguageRegistry | null;
  themes: IThemeManager | null;
  browser: IDefaultFileBrowser | null;
}

/** The chat of the sidebar, for other extensions. */
export interface StopChat {
  /** The chat that the sidebar shows now. */
  readonly controller: ChatController;
  /** Show Markdown that grows, as the chat does. */
  readonly textIn: (host: HTMLElement) => LiveBody;
  /** Render a piece of Markdown as the chat does: sanitized, nothing fetched from elsewhere. */
  readonly render: Render;
}

export function activate(parts: LabParts): StopChat {
  const { app, rendermime, registry, translator, palette, restorer } = parts;
  const { notebooks, editors, languages, themes, browser } = parts;
  const trans = (translator ?? nullTranslator).load('jupyter_stop_chat');
  const settings = new StopChatSettings(registry);
  const server = app.serviceManager.serverSettings;
  const { openChats, history, models } = makeChats(server, settings, trans, {
    isShown: chatId => views.shows(chatId),
    onEnd: (reply, controller) => tellEnd(reply, controller)
  });
  const render = makeRender({
    registry: rendermime,
    languages,
    diagrams: diagramsOf(themes),
    trans,
    showsRemote: () => settings.getSnapshot().remoteImages,
    wrapsCode: () => settings.getSnapshot().wrapCode
  });
  const code = codeActionsOn({ app, trans, notebooks, editors, browser });
  const attaching = new Attaching(parts, trans, models);
  const files = new ChatFiles(parts, history, trans);
  const makePanel = (
    chat: ChatController | string | null,
    onChat?: (chatId: string | null) => void
  ): StopChatPanel => {
    const panel = new StopChatPanel({
      shownChat: new ShownChat(openChats, chat, onChat),
      history,
      models,
      view: new PanelView(),
      trans,
      render,
      code,
      attaching,
      settings,
      openMenu: menusOf(app.commands),
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
  const views: Views = new Views(sidebar);
  app.shell.add(sidebar, 'left', { rank: 900, type: 'Stop Chat' });
  restorer?.add(sidebar, sidebar.id);
  const warm = sidebar.onFirstShow;
  sidebar.onFirstShow = () => {
    warm();
    // after the layout that is restored, which has a width of its own
    void app.restored.then(() => widenOnce(sidebar, server.baseUrl));
  };
  const openTab = tabsOf({ app, restorer, trans, views, makePanel });
  const open = (chatId?: string): void => {
    if (chatId) {
      sidebar.view.showList(false);
      sidebar.shownChat.show(chatId);
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
    openChats,
    views,
    attaching,
    code,
    mayChoose: () => !models.getSnapshot().list?.locked,
    open,
    show: () => app.shell.activateById(views.current.id),
    openTab,
    history,
    files
  });
  views.subscribe(() => views.shown.forEach(chatId => history.seen(chatId)));
  openChats.connect();
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
      return sidebar.shownChat.controller;
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
