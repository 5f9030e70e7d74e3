/** Edits that a person sees made: the cell lights up, and who types there goes on typing. */
import { Cell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { Edit } from './args';
import { Made, makeEdit } from './editing';
import { flash } from './flash';

/**
 * Make an edit, and show it in each view of its notebook.
 *
 * @param begin is called in the step in which something is changed, and throws where it must not.
 * @throws PageFailure where the notebook is not as the edit expects it.
 */
export function makeInSight(
  notebooks: INotebookTracker | null,
  panel: NotebookPanel,
  edit: Edit,
  begin: () => void
): Made {
  const views: NotebookPanel[] = [];
  notebooks?.forEach(one => one.context === panel.context && views.push(one));
  const carets = views.map(caretIn);
  const made = makeEdit(panel, edit, begin);
  carets.forEach(giveBack => giveBack());
  if (notebooks) {
    const lit = edit.action === 'delete' ? (made.above ?? made.below) : made.cell;
    flash(notebooks, panel.context, lit, edit.action === 'insert');
  }
  return made;
}

/**
 * Remember where a person types; return what gives the caret back to a cell that was moved: it is
 * drawn anew, and what is typed would go nowhere.
 */
function caretIn({ content }: NotebookPanel): () => void {
  const { activeCell: cell } = content;
  const editor = cell?.editor;
  if (!cell || !editor?.hasFocus()) {
    return () => undefined;
  }
  const { id } = cell.model;
  const selections = editor.getSelections();
  return () => {
    const at = content.widgets.findIndex(one => one.model.id === id);
    const now = content.widgets[at] as Cell | undefined;
    if (!now || now === cell) {
      return;
    }
    const take = (): void => {
      const { editor: fresh } = now;
      if (fresh && !now.isDisposed && content.activeCell === now) {
        fresh.setSelections(selections);
        content.mode = 'edit';
        fresh.focus();
      }
    };
    content.activeCellIndex = at;
    take();
    if (!now.editor) {
      void now.ready.then(take);
    }
  };
}
