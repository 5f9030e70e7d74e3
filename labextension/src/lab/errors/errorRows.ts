/**
 * A quiet pair of buttons under each traceback of a notebook.
 *
 * It stands in the cell and not in its output: so it is in no file, in no copy of the output, and
 * does not scroll with it. Only cells that come into sight are looked at.
 */
import { Cell, CodeCell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';
import { PanelLayout, Widget } from '@lumino/widgets';

import { isError } from './traceback';

/** What is asked about an error. */
export type ErrorQuestion = 'explain' | 'fix';

/** Asks about the error of a cell. */
export type AskError = (what: ErrorQuestion, panel: NotebookPanel, cell: CodeCell) => void;

/** Marks a cell that has failed, for the menu of cells. */
const FAILED = 'jp-StopChat-failedCell';

export class ErrorRows {
  constructor(
    notebooks: INotebookTracker,
    private _trans: TranslationBundle,
    private _ask: AskError
  ) {
    notebooks.forEach(panel => this._watch(panel));
    notebooks.widgetAdded.connect((_, panel) => this._watch(panel));
  }

  private _watch(panel: NotebookPanel): void {
    const { content } = panel;
    content.cellInViewportChanged.connect((_, cell) => this._look(panel, cell));
    content.widgets.forEach(cell => this._look(panel, cell));
  }

  private _look(panel: NotebookPanel, cell: Cell): void {
    if (!cell.inViewport || cell.model.type !== 'code' || this._known.has(cell)) {
      return;
    }
    this._known.add(cell);
    const failing = cell as CodeCell;
    let isDue = false;
    const lookSoon = (): void => {
      if (!isDue) {
        isDue = true;
        // a cell may print very much: that costs one look a frame
        requestAnimationFrame(() => {
          isDue = false;
          this._update(panel, failing);
        });
      }
    };
    const { outputs, stateChanged } = failing.model;
    outputs.changed.connect(lookSoon);
    stateChanged.connect(lookSoon); // its number comes behind its error
    cell.disposed.connect(() => {
      outputs.changed.disconnect(lookSoon);
      stateChanged.disconnect(lookSoon);
    });
    void failing.ready.then(lookSoon);
  }

  private _update(panel: NotebookPanel, cell: CodeCell): void {
    if (cell.isDisposed || cell.isPlaceholder()) {
      return;
    }
    const { outputs } = cell.model;
    let hasFailed = false;
    for (let at = outputs.length - 1; at >= 0 && !hasFailed; at -= 1) {
      const output = outputs.get(at);
      hasFailed = output.type === 'error' && isError(output.toJSON());
    }
    let row = this._rows.get(cell);
    cell.toggleClass(FAILED, hasFailed);
    if (hasFailed) {
      row ??= this._add(panel, cell);
      this._rows.set(cell, row);
      this._name(row, cell);
    } else if (row) {
      this._rows.delete(cell);
      const hadFocus = row.node.contains(document.activeElement);
      row.dispose();
      if (hadFocus) {
        cell.node.focus();
      }
    }
  }

  private _add(panel: NotebookPanel, cell: CodeCell): Widget {
    const row = new Widget();
    row.addClass('jp-StopChat-errorRow');
    row.node.setAttribute('data-lm-suppress-shortcuts', 'true');
    row.node.append(
      this._button(this._trans.__('Explain'), () => this._ask('explain', panel, cell)),
      this._button(this._trans.__('Fix'), () => this._ask('fix', panel, cell))
    );
    const layout = cell.layout as PanelLayout;
    layout.insertWidget(layout.widgets.length - 1, row); // above the cell's foot
    return row;
  }

  /** Say which cell the buttons are for, by the number that stands beside it. */
  private _name(row: Widget, cell: CodeCell): void {
    const count = cell.model.executionCount ?? ' ';
    const names = [
      this._trans.__('Explain the error of cell [%1]', count),
      this._trans.__('Fix the error of cell [%1]', count)
    ];
    row.node.querySelectorAll('button').forEach((button, at) => {
      button.title = names[at];
      button.setAttribute('aria-label', names[at]);
    });
  }

  private _button(label: string, what: () => void): HTMLElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.addEventListener('click', what);
    return button;
  }

  private _known = new WeakSet<Cell>();
  private _rows = new WeakMap<Cell, Widget>();
}
