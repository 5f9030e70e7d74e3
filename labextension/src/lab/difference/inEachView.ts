/** What stands in a cell in each view of its notebook, also after the cell was moved. */
import { Cell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { CellHandle } from './cellHandle';

/** Puts something into a cell of a view; returns what takes it out again. */
export type PutIn = (cell: Cell, panel: NotebookPanel) => () => void;

export class InEachView {
  constructor(
    private _notebooks: INotebookTracker,
    private _handle: CellHandle,
    private _putIn: PutIn
  ) {
    _notebooks.widgetAdded.connect(this._soon);
    this._end = _handle.subscribe(this._soon);
    this._sync();
  }

  dispose(): void {
    this._isDisposed = true;
    this._notebooks.widgetAdded.disconnect(this._soon);
    this._end();
    this._put.forEach(takeOut => takeOut());
    this._put.clear();
  }

  /** The views follow the shared cells in the same turn: once it is over, they are there. */
  private _soon = (): void => {
    void Promise.resolve().then(() => this._sync());
  };

  private _sync(): void {
    if (this._isDisposed) {
      return;
    }
    for (const [cell, takeOut] of [...this._put]) {
      if (cell.isDisposed) {
        this._put.delete(cell);
        takeOut();
      }
    }
    this._notebooks.forEach(panel => {
      if (panel.context === this._handle.notebook) {
        void this._show(panel);
      }
    });
  }

  private async _show(panel: NotebookPanel): Promise<void> {
    await panel.context.ready;
    const find = (): Cell | undefined =>
      panel.isDisposed
        ? undefined
        : panel.content.widgets.find(one => one.model.id === this._handle.id);
    const cell = find();
    await cell?.ready; // what was never in sight has no parts yet
    if (cell && !this._isDisposed && !cell.isDisposed && find() === cell && !this._put.has(cell)) {
      this._put.set(cell, this._putIn(cell, panel));
    }
  }

  private _isDisposed = false;
  private _put = new Map<Cell, () => void>();
  private _end: () => void;
}
