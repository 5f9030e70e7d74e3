/** Jupyter Notebook, where it differs from JupyterLab in what it does for a sidebar. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { Widget } from '@lumino/widgets';

import { rememberOpen, wasOpen } from '../stores/memory';

/** Tell whether a page is one of Jupyter Notebook: its palette opens each sidebar by itself. */
export function isNotebook(app: Pick<JupyterFrontEnd, 'name'>): boolean {
  return app.name === 'Jupyter Notebook';
}

/** Show a widget, also one that is shown: Jupyter Notebook before 7.6 hides such a sidebar instead. */
export function bringUp(app: Pick<JupyterFrontEnd, 'name' | 'shell'>, widget: Widget): void {
  if (isNotebook(app) && widget.isVisible) {
    widget.activate();
  } else {
    app.shell.activateById(widget.id);
  }
}

/** Open the sidebar again after a reload, if it was open: a page of a notebook keeps no layout. */
export function keepOpen(app: JupyterFrontEnd, sidebar: Widget, scope: string): void {
  if (!isNotebook(app)) {
    return;
  }
  void app.restored.then(() => {
    if (wasOpen(scope)) {
      bringUp(app, sidebar);
    }
    window.addEventListener('pagehide', () => rememberOpen(scope, sidebar.isVisible));
  });
}
