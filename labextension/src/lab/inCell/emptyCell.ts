/** A quiet button in the empty code cell that is the active one. */
import { Cell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';

export interface EmptyCellOptions {
  notebooks: INotebookTracker;
  trans: TranslationBundle;
  open: (panel: NotebookPanel, cell: Cell) => void;
}

/** Offer the prompt in the active cell of each notebook while that is empty. */
export function offerInEmptyCells({ notebooks, trans, open }: EmptyCellOptions): void {
  const watch = (panel: NotebookPanel): void => {
    const { content } = panel;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'jp-StopChat-emptyCell';
    button.textContent = trans.__('Write with the chat');
    button.setAttribute('data-lm-suppress-shortcuts', 'true');
    let cell: Cell | null = null;
    const show = (): void => {
      const isEmpty =
        cell !== null &&
        !cell.isDisposed &&
        cell.model.type === 'code' &&
        cell.model.sharedModel.getSource() === '' &&
        cell.model.getMetadata('editable') !== false;
      if (isEmpty && cell) {
        const place = cell.node.querySelector('.jp-Cell-inputWrapper');
        const at = content.widgets.indexOf(cell) + 1;
        button.title = trans.__('Write cell %1 with the chat', at);
        button.setAttribute('aria-label', button.title);
        if (place && button.parentElement !== place) {
          place.append(button);
        }
      } else {
        button.remove();
      }
    };
    const follow = (): void => {
      cell?.model?.contentChanged?.disconnect(show);
      cell = content.activeCell;
      cell?.model.contentChanged.connect(show);
      show();
      void cell?.ready.then(show);
    };
    button.addEventListener('click', () => cell && open(panel, cell));
    content.activeCellChanged.connect(follow);
    panel.disposed.connect(() => button.remove());
    follow();
  };
  notebooks.forEach(watch);
  notebooks.widgetAdded.connect((_, panel) => watch(panel));
}
