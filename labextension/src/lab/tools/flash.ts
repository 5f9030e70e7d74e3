/** Show where something was changed: the cell lights up, in each view, and nothing scrolls. */
import { MarkdownCell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

const FLASH = 'jp-StopChat-flash';
/** How long it is lit, in milliseconds. */
const LASTS = 1600;

/**
 * Light up a cell.
 *
 * @param isNew a new cell of Markdown is shown as it reads, as one that a person has left.
 */
export function flash(
  notebooks: INotebookTracker,
  context: NotebookPanel['context'],
  id: string | null,
  isNew = false
): void {
  notebooks.forEach(panel => {
    if (panel.context !== context) {
      return;
    }
    const cell = panel.content.widgets.find(one => one.model.id === id);
    if (!cell) {
      return;
    }
    if (isNew && cell.model.type === 'markdown') {
      (cell as MarkdownCell).rendered = true;
    }
    const { node } = cell;
    node.classList.remove(FLASH);
    void node.offsetWidth; // one that is still lit begins anew
    node.classList.add(FLASH);
    setTimeout(() => node.classList.remove(FLASH), LASTS);
  });
}
