/** The plugins and the tokens: what JupyterLab loads. */
import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, IThemeManager } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { IEditorTracker } from '@jupyterlab/fileeditor';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';

import { ChatCommands } from './chat/commands';
import { activate, StopChat } from './lab/activate';
import { PLUGIN_ID } from './stores/settings';

/** The chat of the sidebar, for other extensions. */
export type IStopChat = StopChat;

export const IStopChat = new Token<IStopChat>(
  'jupyter-stop-chat:IStopChat',
  'The chat in the sidebar: send, stop, and what it shows.'
);

/** The commands that are run by a `/` in the chat, for other extensions to add theirs. */
export type IChatCommands = ChatCommands;
export const IChatCommands = new Token<IChatCommands>(
  'jupyter-stop-chat:IChatCommands',
  'The commands that are run by a "/" in the chat: add one, and take it away again.'
);

export type { ChatCommand } from './chat/commands';

const plugin: JupyterFrontEndPlugin<IStopChat> = {
  id: PLUGIN_ID,
  description: 'A chat in the sidebar whose Stop really stops.',
  autoStart: true,
  provides: IStopChat,
  requires: [IRenderMimeRegistry, IChatCommands],
  optional: [
    ISettingRegistry,
    ITranslator,
    ICommandPalette,
    ILayoutRestorer,
    INotebookTracker,
    IEditorTracker,
    IDocumentManager,
    IFileBrowserFactory,
    IEditorLanguageRegistry,
    IThemeManager,
    IDefaultFileBrowser
  ],
  activate: (
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    chatCommands: IChatCommands,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null,
    editors: IEditorTracker | null,
    documents: IDocumentManager | null,
    browsers: IFileBrowserFactory | null,
    languages: IEditorLanguageRegistry | null,
    themes: IThemeManager | null,
    browser: IDefaultFileBrowser | null
  ): IStopChat =>
    activate({
      app,
      rendermime,
      registry,
      translator,
      palette,
      restorer,
      notebooks,
      editors,
      documents,
      browsers,
      languages,
      themes,
      browser,
      chatCommands
    })
};

/** What holds the commands by itself: who adds one need not wait for the chat. */
const commands: JupyterFrontEndPlugin<IChatCommands> = {
  id: 'jupyter-stop-chat:commands',
  description: 'The commands that are run by a "/" in the chat.',
  autoStart: true,
  provides: IChatCommands,
  activate: (): IChatCommands => new ChatCommands()
};

export default [commands, plugin];
