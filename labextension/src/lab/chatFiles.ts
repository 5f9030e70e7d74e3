/** Chats as files: saved beside the notebooks, handed over, and taken in. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { Contents } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';

import { ChatHistory, ExportFormat, fileName } from '../stores/history';
import { Chat } from '../wire/protocol';

/** The parts of JupyterLab that files go to; null where it has none. */
export interface FileParts {
  app: JupyterFrontEnd;
  documents: IDocumentManager | null;
  browsers: IFileBrowserFactory | null;
}

/** So many names are tried for a file. */
const TRIES = 1000;

export class ChatFiles {
  constructor(
    private _parts: FileParts,
    private _history: ChatHistory,
    private _trans: TranslationBundle
  ) {}

  /** Save a chat as a notebook and open it; hand the other kinds to the person. */
  async export(chatId: string, format: ExportFormat, title: string): Promise<void> {
    const name = fileName(title);
    try {
      const file = await this._history.download(chatId, format);
      if (format === 'ipynb' && this._parts.documents) {
        await this._save(name, JSON.parse(await file.text()));
      } else {
        handOver(file, `${name}.${format}`);
      }
    } catch (error) {
      this._history.tell(error instanceof Error ? error.message : '');
    }
  }

  /** Save a notebook and open it; what the file system says of a failure is not for the page. */
  private async _save(name: string, content: unknown): Promise<void> {
    try {
      await this._open(name, content);
    } catch {
      this._history.tell(
        this._trans.__('The notebook could not be saved in the folder of the file browser.')
      );
    }
  }

  /** Let the person choose a chat that was exported, and take it in; null where it was not. */
  async import(): Promise<Chat | null> {
    const file = await chosen('.json,application/json');
    let content: unknown = null;
    try {
      content = file && JSON.parse(await file.text());
    } catch {
      // it is none of ours
    }
    if (content !== null && typeof content === 'object') {
      return this._history.add(content);
    }
    if (file) {
      this._history.tell(
        this._trans.__('“%1” is no chat that was exported as JSON.', file.name)
      );
    }
    return null;
  }

  /** Save a notebook in the folder that the file browser shows, under a name that is free. */
  private async _open(name: string, content: unknown): Promise<void> {
    const { contents } = this._parts.app.serviceManager;
    const folder = this._parts.browsers?.tracker.currentWidget?.model.path ?? '';
    const there = await contents.get(folder, { content: true });
    // some file systems take capitals for the same
    const taken = new Set((there.content as Contents.IModel[]).map(one => one.name.toLowerCase()));
    const names = Array.from({ length: TRIES }, (_, n) => `${name}${n ? ` (${n + 1})` : ''}.ipynb`);
    const free = names.find(one => !taken.has(one.toLowerCase()));
    if (free === undefined) {
      throw new Error('no name is free');
    }
    const path = PathExt.join(folder, free);
    const saved = await contents.save(path, { type: 'notebook', format: 'json', content });
    // it is there to be read: no kernel is asked for
    const kernel = { canStart: true, shouldStart: false };
    this._parts.documents?.openOrReveal(saved.path, 'default', undefined, undefined, kernel);
  }
}

/** Hand a file to the person. */
function handOver(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** Let the person choose a file of their computer; null if they choose none. */
function chosen(accept: string): Promise<File | null> {
  return new Promise(resolve => {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = accept;
    input.addEventListener('change', () => resolve(input.files?.[0] ?? null));
    input.addEventListener('cancel', () => resolve(null));
    input.click();
  });
}
