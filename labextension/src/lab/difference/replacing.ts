/** Replace a cell by code of a reply: the change is shown in the cell, for the person to decide. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { Cell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';

import { CellHandle, OpenNotebook } from './cellHandle';
import { OpenDifferences } from './openDifferences';
import { reveal } from './place';
import { cellCode } from '../code/cellCode';
import { AboutCell, AboutCells } from '../../stores/aboutCells';
import { Code } from '../../text/codeTools';

export interface ReplacingOptions {
  app: JupyterFrontEnd;
  trans: TranslationBundle;
  notebooks: INotebookTracker;
  abouts: AboutCells;
  differences: OpenDifferences;
  /** Tells whether a prompt of its own is open in a cell. */
  isTaken: (notebook: OpenNotebook, id: string) => boolean;
}

/** How long a notice stays in the corner, in milliseconds; afterwards it is in the list. */
const STAYS = 10000;

export class Replacing {
  constructor(private _options: ReplacingOptions) {}

  /**
   * Show code as a change of the cell that some requests were about; tell whether there is one.
   *
   * @param requests the nearest first.
   */
  inAsked(code: Code, requests: readonly string[]): boolean {
    const { abouts, notebooks, trans } = this._options;
    const about = abouts.find(requests);
    if (!about) {
      return false;
    }
    const name = about.path.split('/').pop() ?? about.path;
    const panel = this._holding(about);
    if (panel) {
      this._show(panel, about.cell, code, about.source);
      return true;
    }
    if (!notebooks.find(one => one.context.path === about.path)) {
      this._say(trans.__('The question was about a cell of “%1”, which is closed.', name), {
        label: trans.__('Open it'),
        callback: () => {
          void this._options.app.commands.execute('docmanager:open', { path: about.path });
        }
      });
      return true;
    }
    this._say(trans.__('The cell of “%1” that the question was about is gone.', name));
    return false;
  }

  /** Show code as a change of the active cell; tell whether it was done with. */
  inActive(panel: NotebookPanel, code: Code): boolean {
    const { activeCell } = panel.content;
    if (!panel.context.isReady || activeCell?.model.type !== 'code' || isBlank(activeCell)) {
      return false;
    }
    this._show(panel, activeCell.model.id, code, activeCell.model.sharedModel.getSource());
    return true;
  }

  private _show(panel: NotebookPanel, id: string, code: Code, base: string): void {
    const { app, trans, differences, isTaken } = this._options;
    const handle = new CellHandle(panel.context, id);
    const cell = handle.index + 1;
    const name = panel.title.label;
    const kernel = panel.context.model.defaultKernelLanguage || panel.content.codeMimetype;
    const source = cellCode(code.text, code.language, kernel);
    const refusal = handle.isReadOnly
      ? trans.__('Cell %1 of “%2” is read-only, and was left as it is.', cell, name)
      : isTaken(panel.context, id)
        ? trans.__('A prompt is open in cell %1 of “%2”. Close it first.', cell, name)
        : source === handle.source
          ? trans.__('Cell %1 of “%2” holds this code already.', cell, name)
          : null;
    app.shell.activateById(panel.id);
    if (refusal !== null) {
      handle.dispose();
      this._say(refusal);
      void reveal(panel, id);
      return;
    }
    const note =
      base === handle.source
        ? trans.__('A change of cell %1 from the chat.', cell)
        : trans.__('A change of cell %1 from the chat. The cell was changed since it was asked for.', cell);
    differences.show(handle, source, base, note);
    void reveal(panel, id);
  }

  /** The open notebook that holds a cell: that of its path first, as it may have been renamed. */
  private _holding({ path, cell }: AboutCell): NotebookPanel | undefined {
    const all: NotebookPanel[] = [];
    this._options.notebooks.forEach(panel => all.push(panel));
    const front = this._options.notebooks.currentWidget;
    const rank = (panel: NotebookPanel): number =>
      (panel.context.path === path ? 2 : 0) + (panel === front ? 1 : 0);
    return all
      .filter(({ context }) => context.isReady)
      .filter(({ context }) => context.model.sharedModel.cells.some(one => one.getId() === cell))
      .sort((one, other) => rank(other) - rank(one))[0];
  }

  private _say(words: string, action?: { label: string; callback: () => void }): void {
    const actions = action ? [{ ...action, displayType: 'accent' as const }] : [];
    Notification.info(words, { autoClose: STAYS, actions });
  }
}

const isBlank = (cell: Cell): boolean => cell.model.sharedModel.getSource().trim() === '';
