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

import { activate, StopChat } from './lab/activate';
import { PLUGIN_ID } from './stores/settings';

/** The chat of the sidebar, for other extensions. */
export type IStopChat = StopChat;

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
    IFileBrowserFactory,
    IEditorLanguageRegistry,
    IThemeManager,
    IDefaultFileBrowser
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
      browser
    })
};

export default plugin;
