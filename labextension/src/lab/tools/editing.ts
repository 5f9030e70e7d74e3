/** Edits of an open notebook: each is made whole in one step, or not at all. */
import { NotebookPanel } from '@jupyterlab/notebook';

import { Edit } from './args';
import { CellHandle } from '../difference/cellHandle';
import { PageFailure } from '../../chat/tools/pageCalls';
import { editsBetween } from '../../text/edits';

/** Where an edit was made: the cell, and the ids of its neighbours; null is the notebook's end. */
export interface Made {
  readonly cell: string;
  readonly above: string | null;
  readonly below: string | null;
}

/** What of a shared notebook its interface does not name. */
interface WithUndo {
  readonly undoManager?: { stopCapturing(): void } | null;
}

type SharedNotebook = NotebookPanel['context']['model']['sharedModel'];

/**
 * Make an edit. One that was made already is left as it is.
 *
 * @param begin is called in the step in which something is changed, and throws where it must not.
 * @throws PageFailure where the notebook is not as the edit expects it.
 */
export function makeEdit(panel: NotebookPanel, edit: Edit, begin: () => void): Made {
  const { model, contentsModel } = panel.context;
  const shared = model.sharedModel;
  const find = (id: string): number => shared.cells.findIndex(one => one.getId() === id);
  const isReadOnly = model.readOnly || contentsModel?.writable === false;
  const mayChange = (what: 'editable' | 'deletable', at: number): void => {
    if (isReadOnly || shared.cells[at].getMetadata(what) === false) {
      throw new PageFailure('read_only');
    }
  };
  switch (edit.action) {
    case 'insert': {
      const cell = 'cell' in edit ? edit.cell : newCell(edit);
      const { id } = cell;
      const there = find(id);
      if (there >= 0) {
        expect(shared, there, String(cell.source));
        return madeAt(shared, there);
      }
      const at = behind(shared, edit.after);
      if (isReadOnly) {
        throw new PageFailure('read_only');
      }
      begin();
      inOneStep(shared, () => shared.insertCell(at, cell));
      return madeAt(shared, at);
    }
    case 'replace': {
      const at = found(find(edit.cell_id));
      if (shared.cells[at].getSource() === edit.source) {
        return madeAt(shared, at);
      }
      expect(shared, at, edit.before);
      mayChange('editable', at);
      begin();
      const handle = new CellHandle(panel.context, edit.cell_id);
      handle.edit(editsBetween(edit.before, edit.source));
      handle.dispose();
      return madeAt(shared, at);
    }
    case 'delete': {
      const at = found(find(edit.cell_id));
      expect(shared, at, edit.before);
      mayChange('deletable', at);
      const made = madeAt(shared, at);
      begin();
      inOneStep(shared, () => shared.deleteCell(at));
      return made;
    }
    case 'move': {
      const from = found(find(edit.cell_id));
      const anchor = edit.after === null ? -1 : found(find(edit.after));
      if (anchor === from) {
        throw new PageFailure('bad_request');
      }
      const to = from > anchor ? anchor + 1 : anchor;
      if (to !== from) {
        if (isReadOnly) {
          throw new PageFailure('read_only');
        }
        begin();
        inOneStep(shared, () => panel.content.moveCell(from, to));
      }
      return madeAt(shared, to);
    }
  }
}

/** A new cell without outputs shows nothing that would need to be trusted. */
function newCell(edit: { cell_id: string; cell_type: string; source: string }) {
  const { cell_id: id, cell_type, source } = edit;
  return { id, cell_type, source, metadata: cell_type === 'code' ? { trusted: true } : {} };
}

function behind(shared: SharedNotebook, after: string | null): number {
  return after === null ? 0 : found(shared.cells.findIndex(one => one.getId() === after)) + 1;
}

function found(at: number): number {
  if (at < 0) {
    throw new PageFailure('gone');
  }
  return at;
}

function expect(shared: SharedNotebook, at: number, source: string): void {
  const now = shared.cells[at].getSource();
  if (now !== source) {
    throw new PageFailure('changed', { source: now });
  }
}

function madeAt(shared: SharedNotebook, at: number): Made {
  const idAt = (one: number): string | null => shared.cells[one]?.getId() ?? null;
  return { cell: idAt(at) ?? '', above: idAt(at - 1), below: idAt(at + 1) };
}

/** Make a change of the list of cells: one step of undo, apart from what the person did. */
function inOneStep(shared: SharedNotebook, change: () => unknown): void {
  const { undoManager } = shared as unknown as WithUndo;
  undoManager?.stopCapturing();
  change();
  undoManager?.stopCapturing();
}
