/** Jupyter Notebook, where it differs from JupyterLab in what it does for a sidebar. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { Widget } from '@lumino/widgets';

import { rememberOpen, wasOpen } from '../stores/memory';

/** Tell whether a page is one of Jupyter Notebook: its palette opens each sidebar by itself. */
export function isNotebook(app: Pick<JupyterFrontEnd, 'name'>): boolean {
  return app.name === 'Jupyter Notebook';
}

/** Open the sidebar again after a reload, if it was open: a page of a notebook keeps no layout. */
export function keepOpen(app: JupyterFrontEnd, sidebar: Widget, scope: string): void {
  if (!isNotebook(app)) {
    return;
  }
  void app.restored.then(() => {
    if (wasOpen(scope)) {
      app.shell.activateById(sidebar.id);
    }
    window.addEventListener('pagehide', () => rememberOpen(scope, sidebar.isVisible));
  });
}
