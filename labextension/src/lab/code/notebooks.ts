/** Put code into a notebook, and take it out again. */
import { Notebook, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

import { cellCode } from './cellCode';
import { Code } from '../../text/codeTools';

/** Where in a notebook code goes. */
export type Place = 'below' | 'instead' | 'end';

/** Takes code out of a notebook again, unless it was changed there since. */
export type Undo = () => void;

/** Put code into a notebook that is loaded; null when it is not. */
export function putInto(panel: NotebookPanel, code: Code, place: Place): Undo | null {
  const { content: notebook, context } = panel;
  if (!context.isReady || !notebook.model) {
    return null;
  }
  const source = cellCode(code.text, code.language, notebook.codeMimetype);
  // what may not be changed stays, and the code goes below it
  const mayGo = notebook.activeCell && notebook.activeCell.model.getMetadata('editable') !== false;
  if (place === 'instead' && mayGo) {
    return replace(notebook, source);
  }
  const end = notebook.widgets.length;
  const at = place === 'end' || !notebook.activeCell ? end : notebook.activeCellIndex + 1;
  const { sharedModel } = notebook.model;
  sharedModel.insertCell(at, { cell_type: 'code', source, metadata: { trusted: true } });
  select(notebook, at);
  const id = sharedModel.cells[at].getId();
  return () => {
    const now = find(notebook, id, source);
    if (now >= 0) {
      sharedModel.deleteCell(now);
    }
  };
}

/** Let the active cell of a notebook have the focus. */
export function focusCell({ content }: NotebookPanel): void {
  content.mode = 'command';
  void NotebookActions.focusActiveCell(content);
}

function replace(notebook: Notebook, source: string): Undo {
  const { sharedModel } = notebook.model as NonNullable<Notebook['model']>;
  const at = notebook.activeCellIndex;
  const before = sharedModel.cells[at].toJSON();
  select(notebook, at);
  if (before.cell_type !== 'code') {
    NotebookActions.changeCellType(notebook, 'code');
  }
  sharedModel.cells[at].setSource(source);
  const id = sharedModel.cells[at].getId();
  return () => {
    const now = find(notebook, id, source);
    if (now >= 0) {
      sharedModel.transact(() => {
        sharedModel.deleteCell(now);
        sharedModel.insertCell(now, before);
      });
      select(notebook, now);
    }
  };
}

/** Make a cell the only one that is chosen. */
function select(notebook: Notebook, at: number): void {
  notebook.activeCellIndex = at;
  notebook.deselectAll();
}

/** Tell where a cell is that still holds what was put into it; -1 where there is none. */
function find(notebook: Notebook, id: string, source: string): number {
  const cells = notebook.isDisposed ? [] : (notebook.model?.sharedModel.cells ?? []);
  return cells.findIndex(cell => cell.getId() === id && cell.getSource() === source);
}
