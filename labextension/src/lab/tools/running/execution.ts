/** How JupyterLab runs a cell: what its own executor does, and what it lets others hear. */
import { CodeCell } from '@jupyterlab/cells';
import { KernelError, NotebookActions } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';

import { Execution } from './runs';

/** What its interface lets others hear, and not say: who shows what runs would miss these runs. */
const say = (signal: unknown, args: object): void => (signal as Signal<unknown, object>).emit(args);

/**
 * What the code of a cell asks of the page behind its run, such as another source for the cell, is
 * not done: it would be an edit that nobody has allowed, and that no Undo knows of.
 */
export const execution: Execution = {
  execute: (cell, context, metadata) => CodeCell.execute(cell, context, metadata),
  scheduled: ({ content: notebook }, cell) =>
    say(NotebookActions.executionScheduled, { notebook, cell }),
  executed: ({ content: notebook }, cell, reply) => {
    const success = reply?.content.status === 'ok';
    const error = reply && !success ? new KernelError(reply.content) : null;
    say(NotebookActions.executed, { notebook, cell, success, error });
  }
};
