/** A cell of an open notebook, known by its id: it may be moved, deleted and brought back. */
import { NotebookPanel } from '@jupyterlab/notebook';

import { editInOneStep } from './oneStep';
import { Edit } from '../../text/edits';

/** An open notebook: its file, and its cells, however many views show it. */
export type OpenNotebook = NotebookPanel['context'];

type SharedCell = OpenNotebook['model']['sharedModel']['cells'][number];

export class CellHandle {
  constructor(
    readonly notebook: OpenNotebook,
    readonly id: string
  ) {
    notebook.model.sharedModel.changed.connect(this._look);
    notebook.disposed.connect(this._onClosed);
    this._look();
  }

  /** The cell; null while it is deleted, and once its notebook is closed. */
  get cell(): SharedCell | null {
    return this._cell;
  }

  /** Where it stands, from 0; -1 where it is not. */
  get index(): number {
    return this._cell ? this.notebook.model.sharedModel.cells.indexOf(this._cell) : -1;
  }

  get source(): string {
    return this._cell?.getSource() ?? '';
  }

  get isClosed(): boolean {
    return this._isClosed;
  }

  /** Whether the person may change it. */
  get isReadOnly(): boolean {
    return this.notebook.model.readOnly || this._cell?.getMetadata('editable') === false;
  }

  /** Call a listener when its text has changed, or it has gone or come back. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** Make edits of the cell: one step of undo, apart from what was typed before and after. */
  edit(edits: readonly Edit[]): void {
    if (this._cell) {
      editInOneStep(this._cell, edits);
    }
  }

  dispose(): void {
    if (this._isClosed) {
      return;
    }
    this._isClosed = true;
    this.notebook.disposed.disconnect(this._onClosed);
    this.notebook.model?.sharedModel?.changed.disconnect(this._look);
    this._cell?.changed.disconnect(this._tell);
    this._cell = null;
    this._tell();
    this._listeners.clear();
  }

  private _onClosed = (): void => this.dispose();

  private _look = (): void => {
    const found = this.notebook.model.sharedModel.cells.find(one => one.getId() === this.id) ?? null;
    if (found !== this._cell) {
      this._cell?.changed.disconnect(this._tell);
      this._cell = found;
      found?.changed.connect(this._tell);
      this._tell();
    }
  };

  private _tell = (): void => {
    [...this._listeners].forEach(listener => listener());
  };

  private _cell: SharedCell | null = null;
  private _isClosed = false;
  private _listeners = new Set<() => void>();
}
