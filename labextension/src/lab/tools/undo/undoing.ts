/** Takes back what a reply changed, or makes it again, and says what became of it. */
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { moveFile } from './files';
import { plan } from './plan';
import { TextFiles } from '../files/textFiles';
import { makeInSight } from '../inSight';
import { OpenDocuments } from '../openDocuments';
import { PageFailure } from '../../../chat/tools/pageCalls';
import { Came, Counted, Left, Moved, Noted, ToolRoutes } from '../../../stores/agent/toolRoutes';

export class Undoing {
  constructor(
    private _documents: OpenDocuments,
    private _notebooks: INotebookTracker | null,
    private _files: TextFiles,
    private _routes: Pick<ToolRoutes, 'changes' | 'moved'>
  ) {}

  /** @param undone it is to be taken back; else to be made again. */
  async move(messageId: string, undone: boolean): Promise<Came> {
    const noted = await this._routes.changes(messageId);
    const outcomes: Moved[] = [];
    const left: Left[] = [];
    for (const path of new Set(noted.map(one => one.path))) {
      const all = noted.filter(one => one.path === path);
      const writes = all.filter(one => one.action === 'write');
      if (writes.length > 0) {
        const came = await moveFile(this._files, path, writes, undone);
        outcomes.push(...came);
        left.push(...leftOf(null, writes, came));
      }
      const own = all.filter(one => one.action !== 'write');
      if (own.length === 0) {
        continue;
      }
      const panel = await this._documents.reach(path, own.flatMap(cellsOf));
      const came = panel ? this._moveIn(panel, own, undone) : leave(own, undone, 'not_open');
      outcomes.push(...came);
      left.push(...leftOf(panel, own, came));
    }
    await this._routes.moved(messageId, undone, outcomes);
    return { ...countOf(noted, outcomes), left };
  }

  /** Plan from what is there, and do it in the same turn: nothing comes between. */
  private _moveIn(panel: NotebookPanel, noted: readonly Noted[], undone: boolean): Moved[] {
    const { cells } = panel.context.model.sharedModel;
    const now = cells.map(one => ({
      id: one.getId(),
      source: one.getSource()
    }));
    const { steps, outcomes } = plan(now, noted, undone);
    const failed = new Map<number, string>();
    for (const { edit, changes } of steps) {
      try {
        makeInSight(this._notebooks, panel, edit, () => undefined);
      } catch (error) {
        const why = error instanceof PageFailure ? error.code : 'failed';
        changes.forEach(n => failed.set(n, why));
      }
    }
    return outcomes.map(one =>
      failed.has(one.n) ? { n: one.n, outcome: 'left', why: failed.get(one.n) } : one
    );
  }
}

/** Name the cells that a notebook with a change may be known by: a deleted one by its neighbours. */
function cellsOf({ cell_id: id, beside }: Noted): string[] {
  return [id, beside?.above, beside?.below].filter(one => typeof one === 'string');
}

function leave(noted: readonly Noted[], undone: boolean, why: string): Moved[] {
  const wanted = undone ? ['done', 'begun'] : ['undone'];
  return noted
    .filter(one => wanted.includes(one.state))
    .map(({ n }) => ({ n, outcome: 'left', why }));
}

/** Name what was left, each cell and each file once. */
function leftOf(
  panel: NotebookPanel | null,
  noted: readonly Noted[],
  outcomes: readonly Moved[]
): Left[] {
  const named = new Map<string, Left>();
  for (const { n, outcome, why = '' } of outcomes) {
    const change = noted.find(one => one.n === n);
    if (outcome === 'left' && change) {
      const cells = panel?.context.model.sharedModel.cells ?? [];
      const cellId = change.cell_id ?? null;
      const index = cells.findIndex(one => one.getId() === cellId);
      named.set(cellId ?? change.path, { path: change.path, cellId, index, why });
    }
  }
  return [...named.values()];
}

/** Count cells and files: one that was left for one change counts as left, merged before put back. */
function countOf(noted: readonly Noted[], outcomes: readonly Moved[]): Omit<Came, 'left'> {
  const ranks: Moved['outcome'][] = ['put_back', 'merged', 'left'];
  const worst = { cells: new Map<string, Moved['outcome']>(), files: new Map<string, Moved['outcome']>() };
  for (const { n, outcome } of outcomes) {
    const change = noted.find(one => one.n === n);
    const which = worst[change?.action === 'write' ? 'files' : 'cells'];
    const key = `${change?.path} ${change?.cell_id ?? ''}`;
    const before = which.get(key) ?? 'put_back';
    which.set(key, ranks.indexOf(outcome) > ranks.indexOf(before) ? outcome : before);
  }
  const count = (how: Moved['outcome']): Counted => {
    const of = (which: Map<string, Moved['outcome']>): number =>
      [...which.values()].filter(one => one === how).length;
    return { cells: of(worst.cells), files: of(worst.files) };
  };
  return { putBack: count('put_back'), merged: count('merged') };
}
