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
import { cellsOf } from './cells';
import { keepBrokenDraft } from './brokenDraft';
import { ChatFiles } from './chatFiles';
import { makeChats } from './chats';
import { codeActionsOn } from './code/actions';
import { InFront } from './code/inFront';
import { addCommands, CommandIDs } from './commands';
import { endNoticeOf } from './endNotice';
import { widenOnce } from './firstWidth';
import { chatIcon } from './icon';
import { InstructionDialogs } from './instructions';
import { keepFocusFromLauncher } from './launcherFocus';
import { menusOf } from './menu';
import { bringUp, isNotebook, keepOpen } from './notebookApp';
import { NamedFiles } from './place/files';
import { Gatherer } from './place/gatherer';
import { Place } from './place/place';
import { addSlashCommands } from './slash';
import { agentToolsOf } from './tools/agentTools';
import { TextFiles } from './tools/files/textFiles';
import { addAllowedTools } from './tools/allowedTools';
import { addMcpServers } from './tools/mcp/mcpCommand';
import { OpenDocuments } from './tools/openDocuments';
import { pageWorkOf } from './tools/pageWork';
import { AskedInputs } from './tools/running/askedInputs';
import { execution } from './tools/running/execution';
import { KeptOutputs } from './tools/running/keptOutputs';
import { Runs } from './tools/running/runs';
import { tabsOf } from './tabs';
import { Uploading } from './uploading';
import { Views } from './views';
import { ChatCommands } from '../chat/commands';
import { ChatController } from '../chat/controller';
import { ShownChat } from '../chat/shownChat';
import { PanelView } from '../panel/context';
import { StopChatPanel } from '../panel/panel';
import { rememberChat, rememberedChat } from '../stores/memory';
import { schedule } from '../stores/schedule';
import { keepOfNew } from '../stores/withoutPlace';
import { StopChatSettings } from '../stores/settings';
import { LiveBody } from '../text/body';
import { diagramsOf } from '../text/diagrams/diagrams';
import { makeRender, Render, warmUp } from '../text/rendering';
import { browserClock } from '../wire/clock';

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
  chatCommands: ChatCommands;
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
  const inFront = new InFront({ shell: app.shell, notebooks, editors });
  const documents = new OpenDocuments({
    ...{ notebooks, editors, documents: parts.documents, inFront },
    contents: app.serviceManager.contents
  });
  const inputs = new AskedInputs();
  const runs = new Runs({ execution, notebooks, inputs, clock: browserClock });
  const chats = makeChats(server, settings, trans, {
    work: pageWorkOf(documents, notebooks, runs, panel => kept.lookSoon(panel)),
    onFrame: frame => kept.receive(frame),
    isShown: chatId => views.shows(chatId),
    place: () => inFront.placeIn(app.serviceManager.contents),
    gather: occasion => gatherer.gather(occasion),
    onEnd: (reply, controller) => {
      if (!cells?.shows(reply.info.request_id ?? '')) {
        tellEnd(reply, controller);
      }
    }
  });
  const { openChats, history, routes, models, instructions, spending, uploads, pictures } = chats;
  const kept = new KeptOutputs({ notebooks, documents, routes: chats.tools, runs });
  const agent = agentToolsOf({
    ...{ app, documents, notebooks, inputs, runs, trans },
    files: new TextFiles({
      ...{ open: documents, documents: parts.documents },
      contents: app.serviceManager.contents
    }),
    routes: chats.tools,
    scope: server.baseUrl
  });
  const place = new Place({
    ...{ shell: app.shell, inFront, notebooks, editors, trans, schedule },
    contents: app.serviceManager.contents
  });
  const namedFiles = new NamedFiles(
    app.serviceManager.contents,
    parts.documents,
    new Uploading(uploads, app.serviceManager.contents, trans),
    trans
  );
  const gatherer = new Gatherer({
    ...{ place, files: namedFiles, trans },
    tokens: () => models.info(models.effective)?.max_input_tokens,
    tellsPlace: () => settings.getSnapshot().tellPlace
  });
  const render = makeRender({
    registry: rendermime,
    languages,
    diagrams: diagramsOf(themes),
    trans,
    showsRemote: () => settings.getSnapshot().remoteImages,
    wrapsCode: () => settings.getSnapshot().wrapCode
  });
  const cells = cellsOf({
    ...{ app, palette, trans, notebooks, models, openChats, routes, scope: server.baseUrl },
    openChat: () => {
      views.current.view.showList(false);
      bringUp(app, views.current);
      return views.current.shownChat.controller;
    },
    show: controller => controller.chatId !== null && open(controller.chatId)
  });
  const code = codeActionsOn({ app, trans, notebooks, editors, browser, inFront, replacing: cells?.replacing ?? null });
  const attaching = new Attaching(parts, trans, models, inFront, uploads);
  const files = new ChatFiles(parts, history, trans);
  const makePanel = (
    chat: ChatController | string | null,
    onChat?: (chatId: string | null) => void
  ): StopChatPanel => {
    const panel = new StopChatPanel({
      shownChat: new ShownChat(openChats, chat, onChat),
      history,
      models,
      spending,
      instructions,
      view: new PanelView(),
      trans,
      render,
      code,
      attaching,
      agent,
      place: {
        ...{ label: place.label, subscribe: place.subscribe },
        preview: occasion => gatherer.preview(occasion),
        path: () => inFront.placeIn(app.serviceManager.contents),
        paths: typed => namedFiles.startingWith(typed)
      },
      commands: parts.chatCommands,
      pictures,
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
  keepOfNew(server.baseUrl, sidebar.shownChat);
  keepBrokenDraft(sidebar.shownChat, server.baseUrl, trans);
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
    bringUp(app, sidebar);
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
    show: () => bringUp(app, views.current),
    openTab,
    history,
    instructions: new InstructionDialogs(instructions, trans, failure => history.tell(failure)),
    files
  });
  addAllowedTools({
    ...{ commands: app.commands, palette, trans },
    routes: chats.tools,
    titleOf: chatId => history.getSnapshot().chats.find(one => one.id === chatId)?.title ?? '',
    tell: failure => history.tell(failure)
  });
  addMcpServers({
    ...{ commands: app.commands, palette, trans },
    ...{ routes: chats.mcp, tools: chats.tools },
    tell: failure => history.tell(failure)
  });
  addSlashCommands(parts.chatCommands, app.commands, trans);
  views.subscribe(() => views.shown.forEach(chatId => history.seen(chatId)));
  openChats.connect();
  keepOpen(app, sidebar, server.baseUrl);
  keepFocusFromLauncher(sidebar.node, () => sidebar.focusInput());
  void Promise.all([app.restored, settings.ready]).then(() => {
    const wanted = settings.getSnapshot().openAtStart;
    if (wanted || PageConfig.getOption('stopChatOpen') === 'true') {
      void app.commands.execute(CommandIDs.open);
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
