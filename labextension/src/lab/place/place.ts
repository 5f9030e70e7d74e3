/** Where the person is: the notebook with its active cell, or the file with the caret. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { CodeEditor } from '@jupyterlab/codeeditor';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentWidget } from '@jupyterlab/docregistry';
import { FileEditor, IEditorTracker } from '@jupyterlab/fileeditor';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Contents } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';

import { Cell, nameOf } from '../../chat/attachments';
import { filePlace, notebookPlace } from '../../chat/place/place';
import { Attachment } from '../../wire/protocol';
import { InFront } from '../code/inFront';

export interface PlaceOptions {
  shell: JupyterFrontEnd.IShell;
  inFront: InFront;
  /** Null where there are no notebooks, and no files. */
  notebooks: INotebookTracker | null;
  editors: IEditorTracker | null;
  contents: Pick<Contents.IManager, 'localPath'>;
  trans: TranslationBundle;
  /** Call once, at the next animation frame that is at least `ms` milliseconds away. */
  schedule: (what: () => void, ms: number) => void;
}

/** What is told at most once in so many milliseconds. */
const PACE = 100;

/**
 * Writes down where the person was when it was looked.
 *
 * @param most how long it may be, in UTF-16 code units.
 */
export type PlaceReader = (most: number) => Attachment;

/** A file that is edited. */
type FilePanel = IDocumentWidget<FileEditor>;

/** What is selected in an editor: all of the text, and the offsets. */
interface Selected {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

export class Place {
  constructor(private _options: PlaceOptions) {
    const { shell, notebooks, editors } = _options;
    shell.currentChanged?.connect(this._noteChange);
    notebooks?.currentChanged.connect(this._noteChange);
    notebooks?.activeCellChanged.connect(this._noteChange);
    editors?.currentChanged.connect(this._noteChange);
    // carets, selections and what is typed, in whichever editor
    document.addEventListener('selectionchange', this._noteChange);
  }

  /** Say where the person is, for the person; empty where nothing is open. */
  readonly label = (): string => {
    const { trans } = this._options;
    const panel = this.notebook;
    if (panel) {
      const name = PathExt.basename(panel.context.path);
      const at = panel.content.activeCellIndex;
      if (at < 0) {
        return name;
      }
      return this.cellSelection(panel)
        ? trans.__('%1, selection in cell %2', name, at + 1)
        : trans.__('%1, cell %2', name, at + 1);
    }
    const file = this.file;
    if (!file) {
      return '';
    }
    const name = PathExt.basename(file.context.path);
    // its lines are known: a file of many megabytes is not read for its name, at each key
    const { start, end } = file.content.editor.getSelection();
    const [first, last] = [start.line, end.line].sort((one, other) => one - other).map(n => n + 1);
    return first === last
      ? trans.__('%1, line %2', name, first)
      : trans.__('%1, lines %2 to %3', name, first, last);
  };

  /** Look where the person is, as it is now; null where nothing is open. */
  look(): PlaceReader | null {
    const { trans } = this._options;
    const panel = this.notebook;
    const file = panel ? null : this.file;
    if (!panel && !file) {
      return null;
    }
    const label = this.label();
    const name = nameOf(panel ? trans.__('Notebook: %1', label) : trans.__('File: %1', label));
    const write = panel ? this._ofNotebook(panel) : this._ofFile(file as FilePanel);
    return most => ({ name, text: write(most), mime_type: 'text/markdown', kind: 'context' });
  }

  /** The notebook that the person is in. */
  get notebook(): NotebookPanel | null {
    const { inFront, notebooks } = this._options;
    const { document } = inFront;
    return document && !notebooks?.has(document) ? null : this.lastNotebook;
  }

  /** The notebook that the person is in, or was in last. */
  get lastNotebook(): NotebookPanel | null {
    const { notebook } = this._options.inFront;
    return notebook?.content.model ? notebook : null;
  }

  /** The file that the person is in. */
  get file(): FilePanel | null {
    const { inFront, editors } = this._options;
    const { document } = inFront;
    return (document && editors?.find(one => one === document)) ?? null;
  }

  /** What is selected in the active cell of a notebook. */
  cellSelection(panel: NotebookPanel): string {
    const editor = panel.content.activeCell?.editor;
    return editor ? wordsSelected(editor) : '';
  }

  /** What is selected where the person is. */
  get selection(): string {
    const { notebook, file } = this;
    if (notebook) {
      return this.cellSelection(notebook);
    }
    return file ? wordsSelected(file.content.editor) : '';
  }

  /** Call a listener when the person is somewhere else, or has written something. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  private _ofNotebook(panel: NotebookPanel): (most: number) => string {
    const { content, context } = panel;
    const cells = content.model?.cells;
    const looked = new Map<number, Cell>();
    // later a cell may stand elsewhere, or its notebook be closed: what was not looked at is not known
    let isNow = true;
    void Promise.resolve().then(() => (isNow = false));
    const cell = (at: number): Cell | null => {
      const one = looked.get(at) ?? (isNow && cells ? cells.get(at).toJSON() : null);
      if (one) {
        looked.set(at, one); // a shorter text is made of the same cells
      }
      return one;
    };
    const place = {
      path: this._options.contents.localPath(context.path),
      language: languageOf(panel),
      count: cells?.length ?? 0,
      active: content.activeCellIndex,
      cell,
      selection: this.cellSelection(panel)
    };
    return most => notebookPlace(place, most);
  }

  private _ofFile(file: FilePanel): (most: number) => string {
    const path = this._options.contents.localPath(file.context.path);
    const place = { path, ...selectedIn(file.content.editor) };
    return most => filePlace(place, most);
  }

  private _noteChange = (): void => {
    if (this._due || this._listeners.size === 0) {
      return;
    }
    this._due = true;
    this._options.schedule(() => {
      this._due = false;
      [...this._listeners].forEach(listener => listener());
    }, PACE);
  };

  private _due = false;
  private _listeners = new Set<() => void>();
}

/** The language of a notebook's kernel; empty where nobody knows. */
export function languageOf(panel: NotebookPanel): string {
  const { model } = panel.content;
  const info = model?.getMetadata('language_info') as { name?: string } | undefined;
  const spec = model?.getMetadata('kernelspec') as { language?: string } | undefined;
  return info?.name || spec?.language || model?.defaultKernelLanguage || '';
}

function selectedIn(editor: CodeEditor.IEditor): Selected {
  const { start, end } = editor.getSelection();
  const [one, other] = [editor.getOffsetAt(start), editor.getOffsetAt(end)];
  const text = editor.model.sharedModel.getSource();
  return { text, from: Math.min(one, other), to: Math.max(one, other) };
}

/** Return what is selected in an editor; nothing where that is blank. */
export function wordsSelected(editor: CodeEditor.IEditor): string {
  const { start, end } = editor.getSelection();
  if (start.line === end.line && start.column === end.column) {
    return '';
  }
  const { text, from, to } = selectedIn(editor);
  const words = text.slice(from, to);
  return words.trim() === '' ? '' : words;
}
