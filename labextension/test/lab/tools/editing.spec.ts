/** N1, N10: edits of a real shared notebook: exact, in one step of undo, and never a person's text. */
import { YNotebook } from '@jupyter/ydoc';
import { NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { editOf, Edit } from '../../../src/lab/tools/args';
import { makeEdit } from '../../../src/lab/tools/editing';
import { plan } from '../../../src/lab/tools/undo/plan';
import { NotWanted } from '../../../src/chat/tools/pageCalls';
import { Noted } from '../../../src/stores/agent/toolRoutes';

let shared: YNotebook;
let panel: NotebookPanel;
let isReadOnly: boolean;

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(); // Yjs, where JupyterLab copies a cell
  isReadOnly = false;
  shared = YNotebook.create({ disableDocumentWideUndoRedo: true });
  shared.insertCells(0, [
    { id: 'a', cell_type: 'code', source: 'a = 1', metadata: {} },
    { id: 'b', cell_type: 'markdown', source: '# b', metadata: {} },
    { id: 'c', cell_type: 'code', source: 'c = 1', metadata: { editable: false, deletable: false } }
  ]);
  const context = {
    disposed: new Signal({}),
    model: {
      sharedModel: shared,
      get readOnly() {
        return isReadOnly;
      }
    }
  };
  panel = { context, content: { moveCell: (from: number, to: number) => shared.moveCell(from, to) } } as never;
});

const begin = (): void => undefined;
const make = (edit: Edit) => makeEdit(panel, edit, begin);
const code = (edit: object): string => {
  try {
    make(editOf({ edit }));
    return 'done';
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const sources = (): string[] => shared.cells.map(one => one.getSource());
const ids = (): string => shared.cells.map(one => one.getId()).join('');

describe('an edit', () => {
  it('is made once, where it is said (N1)', () => {
    const insert: Edit = { action: 'insert', cell_id: 'x', cell_type: 'code', source: 'x', after: 'a' };
    expect(make(insert)).toEqual({ cell: 'x', above: 'a', below: 'b' });
    expect(make(insert)).toEqual({ cell: 'x', above: 'a', below: 'b' });
    expect(ids()).toBe('axbc');
    const move: Edit = { action: 'move', cell_id: 'a', after: 'b' };
    expect(make(move)).toEqual({ cell: 'a', above: 'b', below: 'c' });
    make(move);
    expect(ids()).toBe('xbac');
    expect(make({ action: 'move', cell_id: 'a', after: null })).toMatchObject({ above: null });
    expect(ids()).toBe('axbc');
    const replace: Edit = { action: 'replace', cell_id: 'a', before: 'a = 1', source: 'a = 2' };
    expect(make(replace)).toEqual({ cell: 'a', above: null, below: 'x' });
    make(replace);
    expect(sources()[0]).toBe('a = 2');
    const gone = make({ action: 'delete', cell_id: 'x', before: 'x' });
    expect(gone).toEqual({ cell: 'x', above: 'a', below: 'b' });
    expect(ids()).toBe('abc');
  });

  it('brings a cell back with its outputs', () => {
    const cell = {
      ...{ id: 'y', cell_type: 'code', source: ['y\n', 'z'], metadata: { tags: ['t'] } },
      ...{ execution_count: 3, outputs: [{ output_type: 'stream', name: 'stdout', text: ['a\n', 'b'] }] }
    };
    make(editOf({ edit: { action: 'insert', cell, after: 'c' } }));
    expect(shared.cells[3].toJSON()).toMatchObject({
      ...{ id: 'y', source: 'y\nz', metadata: { tags: ['t'] }, execution_count: 3 },
      outputs: [{ output_type: 'stream', name: 'stdout', text: 'a\nb' }]
    });
  });

  it('is refused where the notebook is not as it expects, and changes nothing', () => {
    const before = JSON.stringify(shared.toJSON());
    const changed = (): unknown => {
      try {
        return make({ action: 'replace', cell_id: 'a', before: 'a = 0', source: 'x' });
      } catch (error) {
        return error;
      }
    };
    expect(changed()).toMatchObject({ code: 'changed', result: { source: 'a = 1' } });
    const refused: [object, string][] = [
      [{ action: 'replace', cell_id: 'z', before: '', source: 'x' }, 'gone'],
      [{ action: 'insert', cell_id: 'x', cell_type: 'code', source: 'x', after: 'z' }, 'gone'],
      [{ action: 'insert', cell_id: 'a', cell_type: 'code', source: 'x', after: null }, 'changed'],
      [{ action: 'delete', cell_id: 'a', before: 'a' }, 'changed'],
      [{ action: 'delete', cell_id: 'c', before: 'c = 1' }, 'read_only'],
      [{ action: 'replace', cell_id: 'c', before: 'c = 1', source: '' }, 'read_only'],
      [{ action: 'move', cell_id: 'a', after: 'a' }, 'bad_request'],
      [{ action: 'move', cell_id: 'a' }, 'bad_request'],
      [{ action: 'insert', cell_id: 'a b', cell_type: 'code', source: 'x', after: null }, 'bad_request'],
      [{ action: 'insert', cell_id: 'x', cell_type: 'odd', source: 'x', after: null }, 'bad_request'],
      [{ action: 'insert', cell: { cell_type: 'code' }, after: null }, 'bad_request'],
      [{ action: 'replace', cell_id: 'a', source: 'x' }, 'bad_request'],
      [{ action: 'run', cell_id: 'a' }, 'bad_request']
    ];
    for (const [edit, why] of refused) {
      expect(code(edit), JSON.stringify(edit)).toBe(why);
    }
    expect(() => editOf({})).toThrow();
    isReadOnly = true;
    expect(code({ action: 'move', cell_id: 'a', after: 'b' })).toBe('read_only');
    expect(code({ action: 'insert', cell_id: 'x', cell_type: 'raw', source: '', after: null })).toBe('read_only');
    expect(JSON.stringify(shared.toJSON())).toBe(before);
  });

  it('does not begin after a stop, in the same step (N9)', () => {
    const stop = (): void => {
      throw new NotWanted();
    };
    const edits: Edit[] = [
      { action: 'insert', cell_id: 'x', cell_type: 'code', source: 'x', after: null },
      { action: 'replace', cell_id: 'a', before: 'a = 1', source: 'x' },
      { action: 'delete', cell_id: 'a', before: 'a = 1' },
      { action: 'move', cell_id: 'a', after: 'b' }
    ];
    for (const edit of edits) {
      expect(() => makeEdit(panel, edit, stop)).toThrow(NotWanted);
    }
    expect([ids(), sources()[0]]).toEqual(['abc', 'a = 1']);
  });

  it("is a step of undo of its own, before and after a person's typing", () => {
    const [cell] = shared.cells;
    cell.updateSource(5, 5, '0');
    make({ action: 'replace', cell_id: 'a', before: 'a = 10', source: 'b = 10' });
    cell.updateSource(6, 6, '0');
    expect(cell.getSource()).toBe('b = 100');
    cell.undo();
    expect(cell.getSource()).toBe('b = 10');
    cell.undo();
    expect(cell.getSource()).toBe('a = 10');
    cell.undo();
    expect(cell.getSource()).toBe('a = 1');
  });
});

describe('undo in a shared notebook (N10)', () => {
  it('loses nothing that a person typed, in 100 random replies', () => {
    let seed = 11;
    const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
    for (let run = 0; run < 100; run += 1) {
      while (shared.cells.length) {
        shared.deleteCell(0);
      }
      for (let n = 0; n < 4; n += 1) {
        const source = `one ${n}\ntwo\nthree\nfour\nfive`;
        shared.insertCell(n, { id: `r${run}-${n}`, cell_type: 'code', source, metadata: {} });
      }
      const untouched = JSON.stringify(shared.toJSON());
      const noted: Noted[] = [];
      const typed: string[] = [];
      const note = (change: Partial<Noted>): unknown =>
        noted.push({ n: noted.length, call_id: 'c', path: 'p', action: 'replace', state: 'done', ...change });
      const types = run % 4 > 0;
      for (let steps = 0; steps < 8; steps += 1) {
        const at = random(shared.cells.length);
        const cell = shared.cells[at];
        const [id, before] = [cell.getId(), cell.getSource()];
        const idAt = (index: number): string | null => shared.cells[index]?.getId() ?? null;
        const kind = random(types ? 6 : 4);
        if (kind === 0) {
          const fresh = `n${run}-${steps}`;
          const after = idAt(at);
          const made = make({ action: 'insert', cell_id: fresh, cell_type: 'code', source: 'new', after });
          note({
            ...{ action: 'insert', cell_id: fresh, cell_type: 'code', after: 'new' },
            beside: { new_above: made.above, new_below: made.below }
          });
        } else if (kind === 1 && shared.cells.length > 1) {
          const whole = { ...cell.toJSON() } as Record<string, unknown>;
          const made = make({ action: 'delete', cell_id: id, before });
          note({
            ...{ action: 'delete', cell_id: id, before, cell: whole },
            beside: { above: made.above, below: made.below }
          });
        } else if (kind === 2) {
          const lines = before.split('\n');
          lines.splice(random(lines.length), 1, `agent ${steps}`);
          const source = lines.join('\n');
          make({ action: 'replace', cell_id: id, before, source });
          note({ cell_id: id, before, after: source });
        } else if (kind === 3) {
          const to = random(shared.cells.length);
          if (to !== at) {
            const [above, below] = [idAt(at - 1), idAt(at + 1)];
            const made = make({ action: 'move', cell_id: id, after: idAt(to) });
            const beside = { above, below, new_above: made.above, new_below: made.below };
            note({ action: 'move', cell_id: id, beside });
          }
        } else if (kind > 3) {
          const line = `mine ${run} ${steps}\n`;
          typed.push(line.trim());
          cell.updateSource(0, 0, line);
        }
      }
      const there = (): string => sources().join('\n');
      // what the reply itself deleted or wrote over with leave, it had seen
      const kept = typed.filter(line => there().includes(line));
      const now = (): { id: string; source: string }[] =>
        shared.cells.map(one => ({ id: one.getId(), source: one.getSource() }));
      const back = plan(now(), noted, true);
      back.steps.forEach(({ edit }) => make(edit));
      kept.forEach(line => expect(there()).toContain(line));
      if (!types) {
        expect(JSON.stringify(shared.toJSON())).toBe(untouched);
        const undone = noted.map(one => ({ ...one, state: 'undone' as const }));
        plan(now(), undone, false).steps.forEach(({ edit }) => make(edit));
        plan(now(), noted, true).steps.forEach(({ edit }) => make(edit));
        expect(JSON.stringify(shared.toJSON())).toBe(untouched);
      }
    }
  });
});
