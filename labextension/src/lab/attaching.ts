/** Where attachments come from: the selection, a cell, files of the server and of the computer. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { CodeEditor } from '@jupyterlab/codeeditor';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog } from '@jupyterlab/filebrowser';
import { IEditorTracker } from '@jupyterlab/fileeditor';
import { INotebookTracker } from '@jupyterlab/notebook';
import { Contents } from '@jupyterlab/services';
import { ITranslator, nullTranslator, TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { ASSUMED, cellText, nameOf, notebookText, refuses, textOf } from '../chat/attachments';
import { ChatController } from '../chat/controller';
import { Attaching as PanelAttaching } from '../panel/context';
import { Attachment } from '../wire/protocol';

export interface AttachingOptions {
  app: JupyterFrontEnd;
  trans: TranslationBundle;
  translator: ITranslator | null;
  notebooks: INotebookTracker | null;
  editors: IEditorTracker | null;
  documents: IDocumentManager | null;
}

/** A file that cannot be attached: the message is for the person. */
class NotAttached extends Error {}

export class Attaching implements PanelAttaching {
  constructor(private _options: AttachingOptions) {
    const { app, notebooks, editors } = _options;
    app.shell.currentChanged?.connect((_, { newValue }) => {
      if (newValue && (notebooks?.has(newValue) || editors?.has(newValue))) {
        this._document = newValue;
      }
    });
  }

  /** Files can be chosen in a dialog. */
  get canChoose(): boolean {
    return this._options.documents !== null;
  }

  /** Return what is selected in the notebook or the file that was used last; null if nothing is. */
  selection(): Attachment | null {
    const document = this._current();
    const editor = document && this._editorOf(document);
    if (!document || !editor) {
      return null;
    }
    const { start, end } = editor.getSelection();
    const [from, to] = [editor.getOffsetAt(start), editor.getOffsetAt(end)];
    const text = editor.model.sharedModel.getSource().slice(Math.min(from, to), Math.max(from, to));
    const name = this._options.trans.__('Selection in %1', document.title.label);
    return text.trim() === '' ? null : { name: nameOf(name), text };
  }

  /** Return the active cell of the notebook that was used last; null if there is none. */
  activeCell(): Attachment | null {
    const panel = this._options.notebooks?.currentWidget;
    const cell = panel?.content.activeCell;
    if (!panel || !cell) {
      return null;
    }
    const number = panel.content.activeCellIndex + 1;
    const text = cellText(cell.model.toJSON(), panel.content.codeMimetype.split('-').pop());
    const name = this._options.trans.__('Cell %1 of %2', number, panel.title.label);
    const empty = cell.model.sharedModel.getSource().trim() === '';
    return empty ? null : { name: nameOf(name), text, mime_type: 'text/markdown' };
  }

  /** Let the person choose files of the server, and attach them. */
  async choose(controller: ChatController): Promise<void> {
    const { documents, translator, trans } = this._options;
    if (!documents) {
      return;
    }
    const answer = await FileDialog.getOpenFiles({
      manager: documents,
      title: trans.__('Attach files'),
      translator: translator ?? nullTranslator
    });
    const files = answer.button.accept ? answer.value ?? [] : [];
    const paths = files.filter(file => file.type !== 'directory').map(file => file.path);
    await this.attachPaths(controller, paths);
  }

  /** Let the person choose files of the computer that the browser runs on, and attach them. */
  upload(controller: ChatController): void {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    input.addEventListener('change', () => {
      void this.attachFiles(controller, [...(input.files ?? [])]);
    });
    input.click();
  }

  /** Attach files of the server. */
  async attachPaths(controller: ChatController, paths: readonly string[]): Promise<void> {
    await this._attachAll(controller, paths.map(path => () => this._readPath(controller, path)));
  }

  /** Attach files of the computer that the browser runs on. */
  async attachFiles(controller: ChatController, files: readonly File[]): Promise<void> {
    await this._attachAll(controller, files.map(file => () => this._readFile(controller, file)));
  }

  /** Attach one thing, unless it is too much; tell the person then, and return whether it was. */
  attach(controller: ChatController, one: Attachment): boolean {
    controller.untell();
    return this._attach(controller, one);
  }

  private _attach(controller: ChatController, one: Attachment): boolean {
    const { prompt, welcome } = controller.getSnapshot();
    const { text, attachments } = prompt.draft;
    const limits = welcome?.limits ?? ASSUMED;
    const why = refuses(limits, { text, attachments }, one);
    if (why === null) {
      controller.attach([...attachments, one]);
      return true;
    }
    controller.tell(
      why === 'too_many'
        ? this._options.trans.__(
            'Not attached: %1. A prompt can have %2 attachments.',
            one.name,
            limits.max_attachments
          )
        : this._tooLarge(one.name, limits.max_frame_bytes)
    );
    return false;
  }

  private _tooLarge(name: string, most: number): string {
    return this._options.trans.__(
      '“%1” is too large to be attached: a prompt and its attachments can have %2 kB in all.',
      name,
      Math.floor(most / 1024)
    );
  }

  private async _attachAll(
    controller: ChatController,
    reads: readonly (() => Promise<Attachment>)[]
  ): Promise<void> {
    controller.untell();
    for (const read of reads) {
      try {
        if (!this._attach(controller, await read())) {
          return;
        }
      } catch (error) {
        const unread = this._options.trans.__('A file could not be read, and was not attached.');
        controller.tell(error instanceof NotAttached ? error.message : unread);
      }
    }
  }

  private async _readPath(controller: ChatController, path: string): Promise<Attachment> {
    const { contents } = this._options.app.serviceManager;
    const name = nameOf(path.split('/').pop() ?? path);
    const about = await contents.get(path, { content: false });
    if (about.type === 'directory') {
      throw new NotAttached(this._options.trans.__('Not attached: %1 is a folder.', name));
    }
    if (about.type !== 'notebook') {
      this._checkSize(controller, name, about.size ?? 0); // a large one is not even fetched
    }
    let model: Contents.IModel;
    try {
      const format = about.type === 'notebook' ? {} : { format: 'text' as const };
      model = await contents.get(path, { ...format, content: true });
    } catch {
      throw this._noText(name);
    }
    return this._made(name, model.type === 'notebook' ? model.content : String(model.content));
  }

  private async _readFile(controller: ChatController, file: File): Promise<Attachment> {
    const name = nameOf(file.name);
    const isNotebook = name.endsWith('.ipynb');
    if (!isNotebook) {
      this._checkSize(controller, name, file.size);
    }
    const text = textOf(await file.arrayBuffer());
    if (text === null) {
      throw this._noText(name);
    }
    return this._made(name, isNotebook ? asJson(text) ?? text : text);
  }

  private _made(name: string, content: unknown): Attachment {
    const written = typeof content === 'string' ? null : notebookText(content);
    return written === null
      ? { name, text: String(content) }
      : { name, text: written, mime_type: 'text/markdown' };
  }

  private _checkSize(controller: ChatController, name: string, bytes: number): void {
    const limits = controller.getSnapshot().welcome?.limits ?? ASSUMED;
    if (bytes > limits.max_frame_bytes) {
      throw new NotAttached(this._tooLarge(name, limits.max_frame_bytes));
    }
  }

  private _noText(name: string): NotAttached {
    return new NotAttached(this._options.trans.__('Not attached: %1 is no text file.', name));
  }

  /** The notebook or the file that was used last, and is still open. */
  private _current(): Widget | null {
    const { notebooks, editors } = this._options;
    if (this._document && !this._document.isDisposed) {
      return this._document;
    }
    return notebooks?.currentWidget ?? editors?.currentWidget ?? null;
  }

  private _editorOf(document: Widget): CodeEditor.IEditor | null {
    const { notebooks, editors } = this._options;
    const notebook = notebooks?.find(panel => panel === document);
    const file = editors?.find(widget => widget === document);
    return notebook?.content.activeCell?.editor ?? file?.content.editor ?? null;
  }

  private _document: Widget | null = null;
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
