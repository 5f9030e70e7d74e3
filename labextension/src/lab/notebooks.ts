/** Put code into the notebook that is open. */
import { Clipboard } from '@jupyterlab/apputils';
import { INotebookTracker, Notebook, NotebookActions } from '@jupyterlab/notebook';

import { CodeActions } from '../text/codeTools';

/** @param tracker null where there are no notebooks. */
export function codeActionsOn(tracker: INotebookTracker | null): CodeActions {
  const notebook = (): Notebook | null => {
    const panel = tracker?.currentWidget;
    return panel && !panel.isDisposed && panel.context.isReady && panel.content.model ? panel.content : null;
  };
  const fill = (at: Notebook, code: string): void => {
    at.activeCell?.model.sharedModel.setSource(code);
  };
  return {
    copy: async code => {
      try {
        if (navigator.clipboard) {
          await navigator.clipboard.writeText(code);
        } else {
          Clipboard.copyToSystem(code); // there is no other over plain HTTP
        }
        return true;
      } catch {
        return false;
      }
    },
    hasNotebook: () => notebook() !== null,
    insertBelow: code => {
      const at = notebook();
      if (at) {
        NotebookActions.insertBelow(at);
        NotebookActions.changeCellType(at, 'code');
        fill(at, code);
      }
    },
    replace: code => {
      const at = notebook();
      if (at) {
        fill(at, code);
      }
    },
    append: code => {
      const at = notebook();
      if (at) {
        at.activeCellIndex = at.widgets.length - 1;
        NotebookActions.insertBelow(at);
        NotebookActions.changeCellType(at, 'code');
        fill(at, code);
      }
    }
  };
}
