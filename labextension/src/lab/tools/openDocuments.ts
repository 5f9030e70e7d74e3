/** The documents that are open in this page, by their paths on the server. */
import { IDocumentManager } from '@jupyterlab/docmanager';
import { DocumentRegistry, IDocumentWidget } from '@jupyterlab/docregistry';
import { IEditorTracker } from '@jupyterlab/fileeditor';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Contents, ServerConnection } from '@jupyterlab/services';

import { InFront } from '../code/inFront';
import { languageOf } from '../place/place';
import { PageFailure } from '../../chat/tools/pageCalls';

export interface OpenDocumentsOptions {
  /** Null where there are none. */
  notebooks: INotebookTracker | null;
  editors: IEditorTracker | null;
  documents: IDocumentManager | null;
  contents: Pick<Contents.IManager, 'driveName' | 'localPath' | 'get'>;
  inFront: Pick<InFront, 'document' | 'notebook'>;
}

/** An open document, as a model is told of it. */
export interface ToldDocument {
  readonly path: string;
  readonly kind: 'notebook' | 'file';
  readonly dirty: boolean;
  readonly active: boolean;
  readonly kernel: { id: string; name: string; language: string; state: string } | null;
}

/** Drives that are the server's own: with collaboration, its drive has a name. */
const OWN = ['', 'RTC'];

export class OpenDocuments {
  constructor(private _options: OpenDocumentsOptions) {}

  list(): ToldDocument[] {
    const { inFront } = this._options;
    const front = inFront.document ?? inFront.notebook;
    const told = new Map<string, ToldDocument>();
    const tell = (widget: IDocumentWidget, kind: ToldDocument['kind']): void => {
      const path = this.pathOf(widget.context);
      if (path === null) {
        return;
      }
      const kernel = kind === 'notebook' ? kernelOf(widget as NotebookPanel) : null;
      const active = widget === front || told.get(path)?.active === true;
      told.set(path, { path, kind, dirty: widget.context.model.dirty, active, kernel });
    };
    this._options.notebooks?.forEach(panel => tell(panel, 'notebook'));
    this._options.editors?.forEach(widget => tell(widget, 'file'));
    return [...told.values()];
  }

  /**
   * Return an open notebook that is loaded; of several views, the one that is looked at.
   *
   * @throws PageFailure where it is not open here, or could not be loaded.
   */
  async notebook(path: string): Promise<NotebookPanel> {
    const panel = this.findNotebook(path);
    if (!panel) {
      throw new PageFailure('not_open');
    }
    await loaded(panel.context);
    if (panel.isDisposed || !panel.content.model) {
      throw new PageFailure('not_open');
    }
    return panel;
  }

  findNotebook(path: string): NotebookPanel | null {
    const { notebooks, inFront } = this._options;
    const all: NotebookPanel[] = [];
    notebooks?.forEach(panel => {
      if (!panel.isDisposed && this.pathOf(panel.context) === path) {
        all.push(panel);
      }
    });
    return all.find(one => one === inFront.document) ?? all.find(one => one.isVisible) ?? all[0] ?? null;
  }

  /**
   * Return an open file of text that is loaded, saved or not.
   *
   * @throws PageFailure where it is not open here as text.
   */
  async file(path: string): Promise<DocumentRegistry.Context> {
    const context = await this.text(path);
    if (!context) {
      throw new PageFailure('not_open');
    }
    return context;
  }

  /** Return an open file of text that is loaded; null where it is not open here as text. */
  async text(path: string): Promise<DocumentRegistry.Context | null> {
    const { editors, documents } = this._options;
    const widget =
      editors?.find(one => this.pathOf(one.context) === path) ?? documents?.findWidget(path, null);
    if (!widget) {
      return null;
    }
    const isLoaded = await widget.context.ready.then(
      () => true,
      () => false
    );
    const { contentsModel } = widget.context;
    // once it was saved the server says nothing of its format
    const isText =
      contentsModel !== null &&
      contentsModel.type !== 'notebook' &&
      [undefined, null, 'text'].includes(contentsModel.format);
    return isLoaded && !widget.isDisposed && isText ? widget.context : null;
  }

  /**
   * Return the notebook of a path, opened in sight if it is not; null where there is none in this page.
   *
   * Where no file has the path any more, it is the open notebook that holds one of these cells, under
   * its new name: never while there is one, as a copy of a notebook has the same cells.
   */
  async reach(path: string, cellIds: readonly string[]): Promise<NotebookPanel | null> {
    if (this.findNotebook(path)) {
      return this.notebook(path).catch(() => null);
    }
    if (!(await this._isThere(path))) {
      return this._holding(cellIds);
    }
    const widget = path.endsWith('.ipynb') ? this._options.documents?.openOrReveal(path) : undefined;
    await widget?.revealed.catch(() => undefined);
    return this.notebook(path).catch(() => null);
  }

  private _holding(cellIds: readonly string[]): NotebookPanel | null {
    const isHeld = ({ context }: NotebookPanel): boolean =>
      context.isReady &&
      context.model.sharedModel.cells.some(one => cellIds.includes(one.getId())) &&
      this.pathOf(context) !== null;
    return this._options.notebooks?.find(isHeld) ?? null;
  }

  /** Tell whether there is a file; one that cannot be asked for may be there. */
  private async _isThere(path: string): Promise<boolean> {
    try {
      await this._options.contents.get(path, { content: false });
      return true;
    } catch (error) {
      return !(error instanceof ServerConnection.ResponseError && error.response.status === 404);
    }
  }

  /** Return where a document is on the server; null on another extension's drive. */
  pathOf({ path }: Pick<DocumentRegistry.Context, 'path'>): string | null {
    const { contents } = this._options;
    return OWN.includes(contents.driveName(path)) ? contents.localPath(path) : null;
  }
}

/** @throws PageFailure where it could not be loaded. */
async function loaded({ ready }: Pick<DocumentRegistry.Context, 'ready'>): Promise<void> {
  try {
    await ready;
  } catch {
    throw new PageFailure('not_open');
  }
}

function kernelOf(panel: NotebookPanel): ToldDocument['kernel'] {
  const kernel = panel.sessionContext.session?.kernel;
  return kernel
    ? { id: kernel.id, name: kernel.name, language: languageOf(panel), state: kernel.status }
    : null;
}
