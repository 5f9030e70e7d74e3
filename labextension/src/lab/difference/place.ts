/** Put a bar into a cell, and give the focus back to the cell when it goes. */
import { Cell } from '@jupyterlab/cells';
import { Notebook, NotebookPanel } from '@jupyterlab/notebook';
import { PanelLayout, Widget } from '@lumino/widgets';

import { focusCell } from '../code/notebooks';

/** What a person types into; in a cell, letters are commands once its editor has lost the focus. */
export const TYPED_INTO = '.cm-content, input, textarea';

/** Put a bar above what a cell holds. */
export function putAbove(cell: Cell, bar: Widget): void {
  // the notebook's keys are not for what stands here: Enter presses a button, D D deletes nothing
  bar.node.setAttribute('data-lm-suppress-shortcuts', 'true');
  (cell.layout as PanelLayout).insertWidget(0, bar);
}

/** Make a cell the active one, in sight, with the focus. */
export async function reveal(panel: NotebookPanel, id: string, focus = true): Promise<void> {
  const { content } = panel;
  const at = content.widgets.findIndex(cell => cell.model.id === id);
  if (at < 0) {
    return;
  }
  content.activeCellIndex = at;
  content.deselectAll();
  const before = document.activeElement;
  const cell = content.widgets[at];
  if (isUndrawn(content, cell)) {
    content.renderCellOutputs(at); // one of code comes at once, before those that stand above it
  }
  if (isUndrawn(content, cell) && !(await isDrawn(content, cell))) {
    return;
  }
  await content.scrollToItem(content.activeCellIndex, 'smart');
  // that may take a while: who types somewhere by then is not taken away from there
  const now = document.activeElement;
  const types = now !== before && (now?.matches(TYPED_INTO) ?? false);
  if (focus && !types && !panel.isDisposed) {
    focusCell(panel);
  }
}

/** Tell whether a cell is still to be put into the page; a windowed notebook does so as it is scrolled to. */
function isUndrawn(content: Notebook, cell: Cell): boolean {
  return !cell.node.isConnected && content.notebookConfig.windowingMode !== 'full';
}

/**
 * Wait until a cell is in the page, as a long notebook is put there cell by cell; false where it is
 * gone, or the person went elsewhere meanwhile.
 */
function isDrawn(content: Notebook, cell: Cell): Promise<boolean> {
  return new Promise(resolve => {
    const observer = new MutationObserver(() => {
      const isOver = cell.isDisposed || content.isDisposed || content.activeCell !== cell;
      if (isOver || cell.node.isConnected) {
        observer.disconnect();
        resolve(!isOver);
      }
    });
    observer.observe(content.node, { childList: true, subtree: true });
  });
}
