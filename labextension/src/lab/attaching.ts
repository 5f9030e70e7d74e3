/** Where attachments come from: the selection, a cell, files of the server and of the computer. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { CodeEditor } from '@jupyterlab/codeeditor';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { IEditorTracker } from '@jupyterlab/fileeditor';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Contents } from '@jupyterlab/services';
import { ITranslator, nullTranslator, TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import {
  ASSUMED,
  cellText,
  failedCell,
  headAndTail,
  largestFor,
  nameOf,
  notebookText,
  refuses,
  Room,
  textOf
} from '../chat/attachments';
import { ChatController } from '../chat/controller';
import { Offer } from '../chat/replies';
import { Attaching as PanelAttaching } from '../panel/context';
import { UploadRoutes } from '../stores/uploadRoutes';
import { Attachment, Limits, ModelInfo } from '../wire/protocol';

import { InFront } from './code/inFront';
import { outputsOf } from './outputs';
import { wordsSelected } from './place/place';
import { NotUploaded, Uploading } from './uploading';

/** The parts of JupyterLab that attachments come from; null where it has none. */
export interface AttachingParts {
  app: JupyterFrontEnd;
  translator: ITranslator | null;
  notebooks: INotebookTracker | null;
  editors: IEditorTracker | null;
  documents: IDocumentManager | null;
  browsers: IFileBrowserFactory | null;
}

/** What is known of the model that the next prompt goes to. */
export interface NextModel {
  readonly effective: string | null;
  info(id: string | null): ModelInfo | undefined;
}

/** The active cell of the notebook that was used last, or the one whose menu is open. */
export type Which = 'active' | 'pointed at';

/** The largest file that is read to be shortened, in bytes. */
const MOST_READ = 50_000_000;

/** A file that cannot be attached: the message is for the person. */
class NotAttached extends Error {
  /** @param whole reads it all the same, so that a part of it can be attached. */
  constructor(
    message: string,
    readonly whole?: () => Promise<Attachment>
  ) {
    super(message);
  }
}

export class Attaching implements PanelAttaching {
  constructor(
    private _parts: AttachingParts,
    private _trans: TranslationBundle,
    private _models: NextModel,
    private _inFront: Pick<InFront, 'last'>,
    uploads: UploadRoutes
  ) {
    const { contents } = _parts.app.serviceManager;
    this._uploading = new Uploading(uploads, contents, _trans);
  }

  /** Files can be chosen in a dialog. */
  get canChoose(): boolean {
    return this._parts.documents !== null;
  }

  /** Return what is selected in the notebook or the file that was used last; null if nothing is. */
  selection(): Attachment | null {
    const document = this._current();
    const editor = document && this._editorOf(document);
    if (!document || !editor) {
      return null;
    }
    const text = wordsSelected(editor);
    const name = this._trans.__('Selection in %1', document.title.label);
    return text === '' ? null : { name: nameOf(name), text };
  }

  /** Return a cell; null if there is none, or it is empty. */
  cell(which: Which): Attachment | null {
    const [panel, at] = this._at(which);
    return panel && this._cell(panel, at);
  }

  /** Return the cell that has failed, of the notebook that was used last; null if none has. */
  failedCell(): Attachment | null {
    const panel = this._parts.notebooks?.currentWidget;
    const cells = panel?.content.widgets.map(cell => cell.model.toJSON()) ?? [];
    return panel ? this._cell(panel, failedCell(cells, panel.content.activeCellIndex)) : null;
  }

  /** Tell whether a cell showed anything that can be attached. */
  hasOutput(which: Which): boolean {
    const { printed, pictures } = outputsOf(...this._at(which), this._trans);
    return printed !== null || pictures.length > 0;
  }

  /** Attach what a cell showed: what it printed, and its pictures as the pictures that they are. */
  async attachOutput(controller: ChatController, which: Which): Promise<void> {
    const { printed, pictures } = outputsOf(...this._at(which), this._trans);
    await this._attachAll(controller, [
      ...(printed ? [() => Promise.resolve(printed)] : []),
      ...pictures.map(file => () => this._readFile(controller, file))
    ]);
  }

  /** The paths of the files that are selected in the file browser. */
  get selectedFiles(): string[] {
    const selected = this._parts.browsers?.tracker.currentWidget?.selectedItems() ?? [];
    return [...selected].filter(file => file.type !== 'directory').map(file => file.path);
  }

  /** Let the person choose files of the server, and attach them. */
  async choose(controller: ChatController): Promise<void> {
    const { documents, translator } = this._parts;
    if (!documents) {
      return;
    }
    const answer = await FileDialog.getOpenFiles({
      manager: documents,
      title: this._trans.__('Attach files'),
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

  /** Find a cell: its notebook, and its place there. */
  private _at(which: Which): [NotebookPanel | null, number] {
    const { app, notebooks } = this._parts;
    if (which === 'active') {
      const panel = notebooks?.currentWidget ?? null;
      return [panel, panel?.content.activeCellIndex ?? -1];
    }
    const node = app.contextMenuHitTest(one => one.classList.contains('jp-Cell'));
    const panel = (node && notebooks?.find(one => one.node.contains(node))) ?? null;
    return [panel, panel?.content.widgets.findIndex(cell => cell.node === node) ?? -1];
  }

  private _cell(panel: NotebookPanel, at: number): Attachment | null {
    const cell = panel.content.widgets[at];
    if (!cell || cell.model.sharedModel.getSource().trim() === '') {
      return null;
    }
    const text = cellText(cell.model.toJSON(), panel.content.codeMimetype.split('-').pop());
    const name = this._trans.__('Cell %1 of %2', at + 1, panel.title.label);
    return { name: nameOf(name), text, mime_type: 'text/markdown' };
  }

  /** @param offers whether the beginning and the end of what is too large are offered. */
  private _attach(controller: ChatController, one: Attachment, offers = true): boolean {
    const [limits, room] = this._room(controller);
    const why = refuses(limits, room, one);
    if (why === null) {
      controller.attach([...room.attachments, one]);
      return true;
    }
    if (why !== 'too_many') {
      const whole = (): Promise<Attachment> => Promise.resolve(one);
      const sentence =
        why === 'too_large'
          ? this._tooLarge(one.name, limits.max_frame_bytes)
          : this._trans.__(
              '“%1” is too long for the model: a prompt and its attachments can have about %2 kB for it.',
              one.name,
              largestFor(room.tokens ?? 0)
            );
      controller.tell(sentence, offers ? this._part(controller, whole) : undefined);
    } else {
      controller.tell(
        this._trans.__(
          'Not attached: %1. A prompt can have %2 attachments.',
          one.name,
          limits.max_attachments
        )
      );
    }
    return false;
  }

  /** What is allowed, and what is there already. */
  private _room(controller: ChatController): [Limits, Room] {
    const { prompt, welcome } = controller.getSnapshot();
    const { text, attachments } = prompt.draft;
    const tokens = this._models.info(this._models.effective)?.max_input_tokens;
    return [welcome?.limits ?? ASSUMED, { text, attachments, tokens }];
  }

  /** Offer to attach the beginning and the end of what is too large. */
  private _part(controller: ChatController, whole: () => Promise<Attachment>): Offer {
    const read = async (): Promise<Attachment> => {
      const one = await whole();
      const [limits, room] = this._room(controller);
      if (refuses(limits, room, one) === null) {
        return one; // there is room for all of it by now
      }
      const note = this._trans.__('[The middle is left out.]');
      const name = nameOf(this._trans.__('%1 (beginning and end)', one.name));
      return headAndTail(limits, room, { ...one, name }, note);
    };
    return {
      label: this._trans.__('Attach its beginning and end'),
      accept: () => void this._attachAll(controller, [read], false)
    };
  }

  private _tooLarge(name: string, most: number): string {
    return this._trans.__(
      '“%1” is too large to be attached: a prompt and its attachments can have %2 kB in all.',
      name,
      Math.floor(most / 1024)
    );
  }

  private async _attachAll(
    controller: ChatController,
    reads: readonly (() => Promise<Attachment>)[],
    offers = true
  ): Promise<void> {
    controller.untell();
    for (const read of reads) {
      try {
        this._attach(controller, await read(), offers); // who is too large keeps no other out
      } catch (error) {
        const unread = this._trans.__('A file could not be read, and was not attached.');
        if (error instanceof NotUploaded) {
          if (error.message) {
            controller.tell(error.message);
          }
          continue;
        }
        const { message, whole } = error instanceof NotAttached ? error : new NotAttached(unread);
        controller.tell(message, whole && this._part(controller, whole));
      }
    }
  }

  private async _readPath(
    controller: ChatController,
    path: string,
    most = maxBytes(controller)
  ): Promise<Attachment> {
    const { contents } = this._parts.app.serviceManager;
    const name = nameOf(path.split('/').pop() ?? path);
    const about = await contents.get(path, { content: false });
    if (about.type === 'directory') {
      throw new NotAttached(this._trans.__('Not attached: %1 is a folder.', name));
    }
    const uploaded = await this._uploading.path(
      controller,
      path,
      name,
      about.size ?? 0,
      maxUpload(controller)
    );
    if (uploaded) {
      return uploaded;
    }
    if (about.type !== 'notebook') {
      const whole = (): Promise<Attachment> => this._readPath(controller, path, MOST_READ);
      this._checkSize(name, about.size ?? 0, most, whole); // a large one is not even fetched
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

  private async _readFile(
    controller: ChatController,
    file: File,
    most = maxBytes(controller)
  ): Promise<Attachment> {
    const name = nameOf(file.name);
    const uploaded = await this._uploading.file(controller, name, file, maxUpload(controller));
    if (uploaded) {
      return uploaded;
    }
    const isNotebook = name.endsWith('.ipynb');
    if (!isNotebook) {
      const whole = (): Promise<Attachment> => this._readFile(controller, file, MOST_READ);
      this._checkSize(name, file.size, most, whole);
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

  private _checkSize(
    name: string,
    bytes: number,
    most: number,
    whole: () => Promise<Attachment>
  ): void {
    if (bytes > most) {
      throw new NotAttached(this._tooLarge(name, most), bytes > MOST_READ ? undefined : whole);
    }
  }

  private _noText(name: string): NotAttached {
    return new NotAttached(this._trans.__('Not attached: %1 is no text file.', name));
  }

  /** The notebook or the file that was used last, and is still open. */
  private _current(): Widget | null {
    const { notebooks, editors } = this._parts;
    return this._inFront.last ?? notebooks?.currentWidget ?? editors?.currentWidget ?? null;
  }

  private _editorOf(document: Widget): CodeEditor.IEditor | null {
    const { notebooks, editors } = this._parts;
    const notebook = notebooks?.find(panel => panel === document);
    const file = editors?.find(widget => widget === document);
    return notebook?.content.activeCell?.editor ?? file?.content.editor ?? null;
  }

  private _uploading: Uploading;
}

/** How large a prompt can be with all that is attached to it. */
function maxBytes(controller: ChatController): number {
  return (controller.getSnapshot().welcome?.limits ?? ASSUMED).max_frame_bytes;
}

/** How large a picture or a document can be. */
function maxUpload(controller: ChatController): number {
  return (controller.getSnapshot().welcome?.limits ?? ASSUMED).max_upload_bytes;
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
