// @vitest-environment jsdom
/** N1, N10: a person goes on typing in a cell that is moved, in each view of the notebook. */
import { YNotebook } from '@jupyter/ydoc';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { expect, it, vi } from 'vitest';

import { makeInSight } from '../../../src/lab/tools/inSight';

let focused: object | null = null;

/** A cell as a view has it; what is not drawn yet has no editor. */
function widget(id: string, drawn = true) {
  const editor = {
    caret: 0,
    hasFocus: (): boolean => focused === editor,
    getSelections: () => editor.caret,
    setSelections: (caret: number) => (editor.caret = caret),
    focus: () => (focused = editor)
  };
  const cell = {
    ...{ model: { id, type: 'code' }, node: document.createElement('div'), isDisposed: false },
    ...{ editor: drawn ? editor : null, ready: Promise.resolve().then(() => (cell.editor = editor)) }
  } as { editor: typeof editor | null; ready: Promise<unknown>; model: { id: string } };
  return cell;
}

function view(context: object, shared: YNotebook, drawn: boolean) {
  const content = {
    widgets: shared.cells.map(one => widget(one.getId())),
    ...{ activeCellIndex: 0, mode: 'edit' },
    get activeCell(): ReturnType<typeof widget> {
      const { widgets, activeCellIndex } = this as { widgets: ReturnType<typeof widget>[]; activeCellIndex: number };
      return widgets[activeCellIndex];
    },
    moveCell: (from: number, to: number) => shared.moveCell(from, to)
  };
  shared.changed.connect(() => {
    const fresh = shared.cells.map(one => widget(one.getId(), drawn));
    [content.widgets, focused, content.mode] = [fresh, null, 'command'];
  });
  return { context, content };
}

it.each([true, false])('gives the caret back to a cell that is drawn anew (at once: %s)', async drawn => {
  vi.spyOn(console, 'warn').mockReturnValue(); // Yjs, where JupyterLab copies a cell
  const shared = YNotebook.create({ disableDocumentWideUndoRedo: true });
  shared.insertCells(
    0,
    ['a', 'b'].map(id => ({ id, cell_type: 'code', source: id, metadata: {} }))
  );
  const context = { model: { sharedModel: shared, readOnly: false } };
  const [other, used] = [view(context, shared, drawn), view(context, shared, drawn)];
  const notebooks = { forEach: (what: (one: object) => void) => [other, used].forEach(what) };
  const { editor } = used.content.widgets[0];
  editor?.setSelections(7);
  editor?.focus();
  makeInSight(
    notebooks as unknown as INotebookTracker,
    other as unknown as NotebookPanel,
    { action: 'move', cell_id: 'a', after: 'b' },
    () => undefined
  );
  await used.content.widgets[1].ready;
  await Promise.resolve();
  const { activeCell, mode } = used.content;
  expect([activeCell.model.id, mode, activeCell.editor?.caret]).toEqual(['a', 'edit', 7]);
  expect(focused).toBe(activeCell.editor);
});
