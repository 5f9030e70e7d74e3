"""A notebook that stays open from test to test, and begins anew in each."""

from __future__ import annotations

import uuid
from typing import Any

from tests.browser.cells.notebook import NotebookPage

#: Put the notebook of a path back to how a new one is: a name of its own, these cells, nothing to
#: undo, and a kernel in which nothing was run. Null where it cannot be.
BEGIN_ANEW = """
async ([path, name, cells]) => {
  const {shell} = window.jupyterapp;
  const panel = [...shell.widgets('main')].find(one => one.context?.path === path);
  const kernel = panel?.sessionContext?.session?.kernel;
  if (kernel?.status !== 'idle') {
    return null;
  }
  const code = 'get_ipython().reset(new_session=True)';
  const run = kernel.requestExecute({code, silent: true, store_history: false});
  if ((await run.done).content.status !== 'ok') {
    return null;
  }
  const {content, context, sessionContext} = panel;
  await context.rename(name);
  while (sessionContext.session.path !== name) {
    await new Promise(heard => sessionContext.session.propertyChanged.connect(heard));
  }
  context.model.fromJSON({...context.model.toJSON(), cells});
  context.model.sharedModel.clearUndoHistory();
  content.activeCellIndex = 0;
  content.mode = 'command';
  await context.save();
  shell.activateById(panel.id);
  return [panel.id, name];
}
"""


class KeptNotebook(NotebookPage):
    """One notebook of a chat's page that is opened once: that takes longer than most tests.

    What it was is gone as with a new one, and so is its name, by which the server knows it. Where
    a test has closed it, or left something running in its kernel, another one is opened.
    """

    def open(self, *cells: str | tuple[str, dict[str, Any]]) -> None:
        """Have these cells, and no others, in a notebook of a name that none had before."""
        name = f"kept-{uuid.uuid4().hex[:8]}.ipynb"
        begun = self.page.evaluate(BEGIN_ANEW, [self.chat.kept, name, self.written(*cells)])
        if begun is None:
            self.chat.close_documents()
            super().open(*cells)
        else:
            self.id, self.path = begun
        self.chat.kept = self.path
