/** What this page does for tools, in the documents that it has open. */
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import * as args from './args';
import { writeOpen } from './files/writing';
import { makeInSight } from './inSight';
import { OpenDocuments } from './openDocuments';
import { readFile, readNotebook, wholeCell } from './reading';
import { Runs } from './running/runs';
import { startKernel } from './running/startKernel';
import { PageFailure, PageWork } from '../../chat/tools/pageCalls';

/**
 * Return what does what tools ask of a page.
 *
 * @param lookForKept puts in what the cells of a notebook showed elsewhere.
 */
export function pageWorkOf(
  documents: OpenDocuments,
  notebooks: INotebookTracker | null,
  runs: Pick<Runs, 'run' | 'end'>,
  lookForKept: (panel: NotebookPanel) => void
): PageWork {
  return async (operation, asked, begin) => {
    switch (operation) {
      case 'documents':
        return { documents: documents.list() };
      case 'read': {
        const path = args.text(asked, 'path');
        return documents.findNotebook(path)
          ? readNotebook(await documents.notebook(path), asked)
          : readFile((await documents.file(path)).model.toString(), asked);
      }
      case 'cell': {
        const id = args.text(asked, 'cell_id');
        return wholeCell(await documents.notebook(args.text(asked, 'path')), id);
      }
      case 'edit': {
        const edit = args.editOf(asked);
        const panel = await documents.notebook(args.text(asked, 'path'));
        const { above, below } = makeInSight(notebooks, panel, edit, begin);
        return { done: true, above, below };
      }
      case 'run': {
        const wanted = {
          cellId: args.text(asked, 'cell_id'),
          source: args.text(asked, 'source'),
          mark: args.text(asked, 'mark'),
          kernelId: args.text(asked, 'kernel_id')
        };
        return runs.run(await documents.notebook(args.text(asked, 'path')), wanted, begin);
      }
      case 'run_end': {
        const [id, mark] = [args.text(asked, 'cell_id'), args.text(asked, 'mark')];
        const panel = await documents.notebook(args.text(asked, 'path'));
        const ended = await runs.end(panel, id, mark);
        if (!ended.put) {
          lookForKept(panel); // the server keeps it now
        }
        return ended;
      }
      case 'start_kernel':
        return startKernel(await documents.notebook(args.text(asked, 'path')), begin);
      case 'write': {
        const [before, text] = [args.textOrNull(asked, 'before'), args.text(asked, 'text')];
        const file = await documents.file(args.text(asked, 'path'));
        return { done: true, saved: await writeOpen(file, before, text, begin) };
      }
      default:
        throw new PageFailure('bad_request');
    }
  };
}
