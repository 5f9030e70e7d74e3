/** The documents that a person works on. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { IDocumentWidget } from '@jupyterlab/docregistry';
import { IEditorTracker } from '@jupyterlab/fileeditor';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Contents } from '@jupyterlab/services';
import { Widget } from '@lumino/widgets';

export interface InFrontOptions {
  shell: Pick<JupyterFrontEnd.IShell, 'currentWidget' | 'widgets' | 'currentChanged'>;
  /** Null where there are no notebooks. */
  notebooks: Pick<INotebookTracker, 'has' | 'currentWidget'> | null;
  /** Null where there are no files. */
  editors: Pick<IEditorTracker, 'has'> | null;
}

export class InFront {
  constructor(private _options: InFrontOptions) {
    _options.shell.currentChanged?.connect((_, { newValue }) => {
      if (newValue && this._isDocument(newValue)) {
        this._last = newValue;
      }
    });
  }

  /** The notebook or the file that is looked at: of several side by side, the one used last. */
  get document(): Widget | null {
    const { shell } = this._options;
    const current = shell.currentWidget;
    if (current && this._isDocument(current)) {
      return current;
    }
    const seen = [...shell.widgets('main')].filter(one => one.isVisible && this._isDocument(one));
    return seen.find(one => one === this._last) ?? seen[0] ?? null;
  }

  /** The notebook or the file that is looked at, else the one that was used last and is open. */
  get last(): Widget | null {
    return this.document ?? (this._last?.isDisposed ? null : this._last);
  }

  /** The notebook that is looked at, else the one that was used last. */
  get notebook(): NotebookPanel | null {
    const { notebooks } = this._options;
    const { document } = this;
    const panel = document && notebooks?.has(document) ? document : notebooks?.currentWidget;
    return panel && !panel.isDisposed ? (panel as NotebookPanel) : null;
  }

  /** The path of what is looked at, where it lies below the server's root. */
  placeIn(contents: Pick<Contents.IManager, 'driveName' | 'localPath'>): string | null {
    const { document, notebook } = this;
    const shown = (document ?? notebook) as IDocumentWidget | null;
    const path = shown?.context.path;
    // a drive of another extension is not the server's; with collaboration, its own has a name
    return path && ['', 'RTC'].includes(contents.driveName(path))
      ? contents.localPath(path)
      : null;
  }

  private _isDocument(widget: Widget): boolean {
    const { notebooks, editors } = this._options;
    return !!(notebooks?.has(widget) || editors?.has(widget));
  }

  private _last: Widget | null = null;
}
