/** What the buttons of a code block do: the clipboard, and the document that is looked at. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Notification } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { IEditorTracker } from '@jupyterlab/fileeditor';
import { INotebookTracker } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';

import { typeInto } from './files';
import { InFront } from './inFront';
import { notebookWith } from './newNotebook';
import { focusCell, Place, putInto } from './notebooks';
import { Replacing } from '../difference/replacing';
import { Code, CodeActions } from '../../text/codeTools';

/** How long a notice stays in the corner, in milliseconds; afterwards it is in the list. */
const STAYS = 10000;

export interface CodeOptions {
  app: JupyterFrontEnd;
  trans: TranslationBundle;
  notebooks: INotebookTracker | null;
  editors: IEditorTracker | null;
  browser: IDefaultFileBrowser | null;
  /** The documents that the person works on. */
  inFront: InFront;
  /** Shows code as a change of a cell; null where there are no notebooks. */
  replacing: Replacing | null;
}

export function codeActionsOn(options: CodeOptions): CodeActions {
  const { app, trans, notebooks, editors, inFront, replacing } = options;

  /** Put code into the file that is looked at; tell whether there is one. */
  const type = (code: Code, instead: boolean): boolean => {
    const { document } = inFront;
    const file = editors?.find(one => one === document);
    if (!file) {
      return false;
    }
    app.shell.activateById(file.id);
    typeInto(file.content.editor, code.text, instead);
    return true;
  };

  const put = (code: Code, place: Place): void => {
    const panel = inFront.notebook;
    const undo = panel && putInto(panel, code, place);
    if (!panel || !undo) {
      offerNotebook(code);
    } else if (panel === inFront.document) {
      app.shell.activateById(panel.id);
      focusCell(panel);
    } else {
      const show = (): void => {
        app.shell.activateById(panel.id);
        focusCell(panel);
      };
      // nobody sees it there: say where it is
      Notification.info(trans.__('The code is in “%1”.', panel.title.label), {
        autoClose: STAYS,
        actions: [
          { label: trans.__('Undo'), callback: undo },
          { label: trans.__('Show'), displayType: 'accent', callback: show }
        ]
      });
    }
  };

  const offerNotebook = (code: Code): void => {
    if (!notebooks) {
      Notification.info(trans.__('There is no document that the code can go into.'));
      return;
    }
    const make = (): void => {
      notebookWith(code, options).catch(() => {
        Notification.error(trans.__('The notebook could not be made.'));
      });
    };
    Notification.info(trans.__('No notebook is open.'), {
      autoClose: STAYS,
      actions: [
        { label: trans.__('New notebook with this code'), displayType: 'accent', callback: make }
      ]
    });
  };

  return {
    copy: async text => {
      try {
        if (navigator.clipboard) {
          await navigator.clipboard.writeText(text);
        } else {
          Clipboard.copyToSystem(text); // there is no other over plain HTTP
        }
        return true;
      } catch {
        return false;
      }
    },
    insert: code => {
      if (!type(code, false)) {
        put(code, 'below');
      }
    },
    replace: (code, requests) => {
      const panel = inFront.notebook;
      // first what was asked about, then a file in front, then the active cell
      const isDone = replacing?.inAsked(code, requests) || type(code, true);
      if (!isDone && !(panel && replacing?.inActive(panel, code))) {
        put(code, 'instead');
      }
    },
    append: code => put(code, 'end')
  };
}
