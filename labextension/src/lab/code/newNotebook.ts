/** A notebook that begins with the code of a reply. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { KernelSpec } from '@jupyterlab/services';

import { cellCode } from './cellCode';
import { focusCell } from './notebooks';
import { Code } from '../../text/codeTools';

export interface NewNotebookOptions {
  app: JupyterFrontEnd;
  notebooks: INotebookTracker | null;
  /** Its folder is the one that the notebook goes into; null: the server's first. */
  browser: IDefaultFileBrowser | null;
}

/** Make a notebook of one cell, for a kernel of the code's language where there is one; open it. */
export async function notebookWith(code: Code, options: NewNotebookOptions): Promise<void> {
  const { app, notebooks, browser } = options;
  const { contents, kernelspecs } = app.serviceManager;
  await kernelspecs.ready;
  const spec = specFor(kernelspecs.specs, code.language);
  const path = browser?.model.path ?? '';
  const made = await contents.newUntitled({ path, type: 'notebook' });
  const cell = {
    cell_type: 'code',
    source: cellCode(code.text, code.language, spec?.language ?? ''),
    metadata: {},
    outputs: [],
    execution_count: null
  };
  const kernelspec = spec && {
    name: spec.name,
    display_name: spec.display_name,
    language: spec.language
  };
  await contents.save(made.path, {
    type: 'notebook',
    format: 'json',
    content: {
      nbformat: 4,
      nbformat_minor: 4,
      metadata: kernelspec ? { kernelspec } : {},
      cells: [cell]
    }
  });
  // where each document is a page of its own, nothing of it is here
  const opened: unknown = await app.commands.execute('docmanager:open', { path: made.path });
  const panel = notebooks?.find(one => one === opened);
  if (panel) {
    await focusWhenDrawn(panel);
  }
}

async function focusWhenDrawn(panel: NotebookPanel): Promise<void> {
  await panel.revealed;
  focusCell(panel);
}

function specFor(
  specs: KernelSpec.ISpecModels | null,
  language: string
): KernelSpec.ISpecModel | null {
  const all = Object.values(specs?.kernelspecs ?? {}).filter(spec => spec !== undefined);
  const wanted = language.toLowerCase();
  const usual = specs?.kernelspecs[specs.default];
  return usual?.language.toLowerCase() === wanted
    ? usual
    : (all.find(spec => spec.language.toLowerCase() === wanted) ?? usual ?? null);
}
