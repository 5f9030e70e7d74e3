/** The changes that a person was shown in cells and has not decided on: one a cell. */
import { ReactWidget } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { announce, refuse } from './announce';
import { DifferenceButtons, keyOf } from './buttons';
import { ByCell } from './byCell';
import { CellHandle, OpenNotebook } from './cellHandle';
import { Difference } from './difference';
import { drawIn } from './drawIn';
import { InEachView } from './inEachView';
import { putAbove, reveal } from './place';

interface Opened {
  readonly difference: Difference;
  readonly views: InEachView;
  readonly endWatch: () => void;
}

export class OpenDifferences {
  constructor(
    private _notebooks: INotebookTracker,
    private _trans: TranslationBundle
  ) {}

  /** Return the change that is shown in a cell. */
  of(notebook: OpenNotebook, id: string): Difference | undefined {
    return this._open.get(notebook, id)?.difference;
  }

  /**
   * Show a change in a cell, in the place of one that was shown there.
   *
   * @param base what the cell held when it was asked for.
   * @param note is said beside the buttons.
   */
  show(handle: CellHandle, code: string, base: string, note: string): void {
    this._close(handle.notebook, handle.id);
    const difference = new Difference(handle, base);
    difference.propose(code, false);
    const views = new InEachView(this._notebooks, handle, (cell, panel) => {
      const bar = ReactWidget.create(this._bar(difference, note, panel));
      bar.addClass('jp-StopChat-cellBar');
      putAbove(cell, bar);
      const undraw = drawIn(cell, difference);
      return () => {
        undraw();
        bar.dispose();
      };
    });
    const endWatch = handle.subscribe(() => handle.isClosed && this._close(handle.notebook, handle.id));
    this._open.set(handle.notebook, handle.id, { difference, views, endWatch });
    announce(`${note} ${this._trans.__('Accept it or reject it.')}`);
  }

  /** Accept a change, all of it or the one that is looked at. */
  accept(id: string, panel: NotebookPanel, part: 'all' | 'current' = 'all'): void {
    const difference = this.of(panel.context, id);
    if (!difference) {
      return;
    }
    const done = part === 'all' ? difference.accept() : difference.acceptCurrent();
    if (!done) {
      refuse(this._trans.__('Not accepted: the cell cannot be changed now.'));
    } else if (difference.count === 0) {
      this._end(id, panel, this._trans.__('The change is accepted.'));
    }
  }

  reject(id: string, panel: NotebookPanel): void {
    if (this.of(panel.context, id)) {
      this._end(id, panel, this._trans.__('The change is rejected. The cell is as it was.'));
    }
  }

  private _bar(difference: Difference, note: string, panel: NotebookPanel): JSX.Element {
    const { id } = difference.handle;
    const accept = (): void => this.accept(id, panel);
    const reject = (): void => this.reject(id, panel);
    return (
      // Esc and Ctrl+Enter, wherever in it the focus is
      // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- see above
      <div
        className="jp-StopChat-cellBarRow"
        onKeyDown={event => {
          const key = keyOf(event);
          if (key) {
            event.preventDefault();
            (key === 'accept' ? accept : reject)();
          }
        }}
      >
        <span className="jp-StopChat-cellBarNote">{note}</span>
        <DifferenceButtons
          difference={difference}
          trans={this._trans}
          onAccept={accept}
          onReject={reject}
          onAcceptCurrent={() => this.accept(id, panel, 'current')}
        />
      </div>
    );
  }

  private _end(id: string, panel: NotebookPanel, words: string): void {
    this._close(panel.context, id);
    announce(words);
    void reveal(panel, id);
  }

  private _close(notebook: OpenNotebook, id: string): void {
    const opened = this._open.get(notebook, id);
    this._open.delete(notebook, id);
    opened?.endWatch();
    opened?.views.dispose();
    opened?.difference.dispose();
    opened?.difference.handle.dispose();
  }

  private _open = new ByCell<Opened>();
}
