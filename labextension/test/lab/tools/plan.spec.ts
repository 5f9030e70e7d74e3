/** N10: what a reply changed is taken back, and nothing that a person wrote is lost. */
import { describe, expect, it } from 'vitest';

import { mergeLines } from '../../../src/lab/tools/undo/mergeLines';
import { Cell, plan, Plan } from '../../../src/lab/tools/undo/plan';
import { Noted } from '../../../src/stores/agent/toolRoutes';

const cells = (...all: [string, string][]): Cell[] => all.map(([id, source]) => ({ id, source }));
const noted = (n: number, change: Partial<Noted>): Noted => ({
  ...{ n, call_id: 'c', path: 'a.ipynb', action: 'replace', state: 'done' },
  ...change
});

/** Do what is planned, as a notebook does. */
function carryOut(before: readonly Cell[], { steps }: Plan): Cell[] {
  const now = [...before];
  const at = (id: string): number => now.findIndex(one => one.id === id);
  for (const { edit } of steps) {
    if (edit.action === 'insert') {
      const cell = 'cell' in edit ? edit.cell : { id: edit.cell_id, source: edit.source };
      expect(at(cell.id)).toBe(-1);
      const place = edit.after === null ? 0 : at(edit.after) + 1;
      expect(place > 0 || edit.after === null).toBe(true);
      now.splice(place, 0, { id: cell.id, source: String(cell.source) });
    } else if (edit.action === 'move') {
      const [cell] = now.splice(at(edit.cell_id), 1);
      now.splice(edit.after === null ? 0 : at(edit.after) + 1, 0, cell);
    } else {
      const index = at(edit.cell_id);
      expect(now[index].source).toBe(edit.before);
      const fresh = edit.action === 'delete' ? [] : [{ id: edit.cell_id, source: edit.source }];
      now.splice(index, 1, ...fresh);
    }
  }
  return now;
}

const came = ({ outcomes }: Plan): (string | undefined)[] => outcomes.map(one => one.why ?? one.outcome);

/** A reply that changed a cell, put one in, moved one, and deleted one. */
const BEFORE = cells(['a', 'a = 1'], ['b', 'b = 1'], ['c', 'c = 1'], ['d', 'd = 1']);
const REPLY = [
  noted(0, { cell_id: 'a', before: 'a = 1', after: 'a = 2' }),
  noted(1, { action: 'insert', cell_id: 'x', after: 'x = 1', beside: { new_above: 'a', new_below: 'b' } }),
  noted(2, { cell_id: 'x', before: 'x = 1', after: 'x = 2' }),
  noted(3, {
    action: 'move',
    cell_id: 'b',
    beside: { above: 'x', below: 'c', new_above: 'd', new_below: null }
  }),
  noted(4, {
    action: 'delete',
    cell_id: 'c',
    before: 'c = 1',
    cell: { id: 'c', cell_type: 'code', source: 'c = 1', metadata: {}, outputs: [] },
    beside: { above: 'x', below: 'd' }
  })
];
const AFTER = cells(['a', 'a = 2'], ['x', 'x = 2'], ['d', 'd = 1'], ['b', 'b = 1']);

describe('undo (N10)', () => {
  it('takes all of it back, in its turn, and makes it again', () => {
    const back = plan(AFTER, REPLY, true);
    expect(carryOut(AFTER, back)).toEqual(BEFORE);
    expect(came(back)).toEqual(Array(5).fill('put_back'));
    const undone = REPLY.map(one => ({ ...one, state: 'undone' as const }));
    expect(plan(BEFORE, undone, true).steps).toEqual([]);
    const again = plan(BEFORE, undone, false);
    expect(carryOut(BEFORE, again)).toEqual(AFTER);
  });

  it('done twice changes nothing more', () => {
    const twice = plan(BEFORE, REPLY, true);
    expect(twice.steps).toEqual([]);
    expect(came(twice).filter(one => one === "merged")).toEqual([]);
  });

  it('of what was begun, takes back what was made', () => {
    const begun = REPLY.map(one => ({ ...one, state: 'begun' as const }));
    expect(carryOut(AFTER, plan(AFTER, begun, true))).toEqual(BEFORE);
    const half = cells(['a', 'a = 2'], ['x', 'x = 1'], ['b', 'b = 1'], ['c', 'c = 1'], ['d', 'd = 1']);
    expect(carryOut(half, plan(half, begun, true))).toEqual(BEFORE);
  });

  it('keeps what was written in other lines since', () => {
    const now = cells(['a', 'import x\nb = 2\nc = 3\n# mine']);
    const change = noted(0, { cell_id: 'a', before: 'b = 1\nc = 3', after: 'import x\nb = 2\nc = 3' });
    const back = plan(now, [change], true);
    expect(came(back)).toEqual(['merged']);
    expect(carryOut(now, back)).toEqual(cells(['a', 'b = 1\nc = 3\n# mine']));
  });

  it('leaves alone, and names, what was changed in the same lines', () => {
    const now = cells(['a', 'a = 3'], ['x', 'x = 9']);
    const back = plan(now, REPLY.slice(0, 3), true);
    expect(back.steps).toEqual([]);
    expect(came(back)).toEqual(['changed', 'changed', 'changed']);
  });

  it('leaves a cell whose neighbours are not there, and what is gone', () => {
    const now = cells(['a', 'a = 2'], ['d', 'd = 1'], ['b', 'b = 1']);
    const back = plan(now, [REPLY[3]], true);
    expect(came(back)).toEqual(['neighbours']);
    expect(came(plan(cells(['d', 'd']), REPLY.slice(0, 1), true))).toEqual(['gone']);
    expect(came(plan(now, [noted(0, { action: 'insert', path: 'a.txt', cell_id: null })], true))).toEqual(
      ['no_cell']
    );
  });

  it('brings a deleted cell back behind its neighbour, else above the other, else at the end', () => {
    const change = [REPLY[4]];
    const ids = (now: Cell[]): string => carryOut(now, plan(now, change, true)).map(one => one.id).join('');
    expect(ids(cells(['d', ''], ['x', ''], ['e', '']))).toBe('dxce');
    expect(ids(cells(['e', ''], ['d', '']))).toBe('ecd');
    expect(ids(cells(['e', ''], ['f', '']))).toBe('efc');
  });

  it('never loses a line of a person, in 800 random cases', () => {
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
    let merges = 0;
    for (let run = 0; run < 800; run += 1) {
      const lines = (count: number): string[] => Array.from({ length: count }, () => `l${random(4)}`);
      const before = lines(random(8));
      const agent = [...before];
      for (let edits = random(3) + 1; edits > 0; edits -= 1) {
        agent.splice(random(agent.length + 1), random(2), `agent${random(9)}`);
      }
      const person = [...agent];
      const mine: string[] = [];
      for (let edits = random(3) + 1; edits > 0; edits -= 1) {
        const line = `mine${run}-${edits}`;
        mine.push(line);
        person.splice(random(person.length + 1), 0, line);
      }
      const source = person.join('\n');
      const change = noted(0, { cell_id: 'a', before: before.join('\n'), after: agent.join('\n') });
      const now = cells(['a', source]);
      const back = plan(now, [change], true);
      const [cell] = carryOut(now, back);
      for (const line of mine) {
        expect(cell.source.split('\n')).toContain(line);
      }
      merges += back.outcomes[0].outcome === 'merged' ? 1 : 0;
      expect(back.outcomes[0].outcome === 'left' ? cell.source : '').toBe(
        back.outcomes[0].outcome === 'left' ? source : ''
      );
    }
    expect(merges).toBeGreaterThan(100);
  });

  it('merges lines, and says where it cannot', () => {
    expect(mergeLines('a\nb\nc\nd', 'a\nb\nc', 'A\nb\nc')).toBe('A\nb\nc\nd');
    expect(mergeLines('x', 'a', 'b')).toBeNull();
    expect(mergeLines('b', 'a', 'b')).toBe('b');
    expect(mergeLines('x\na', 'a', 'y\na')).toBeNull();
    expect(mergeLines('', 'a', 'a\nb')).toBeNull();
    expect(mergeLines('a\nb\n', 'a\nb', 'a\nb\nc')).toBeNull();
    expect(mergeLines('A\nb\nC', 'a\nb\nc', 'A\nb\nc')).toBe('A\nb\nC');
  });

  it('is merged at once also where it is very long, and its lines are alike', () => {
    const base = Array.from({ length: 20_000 }, (_, at) => (at % 3 ? '' : `line ${at}`));
    const [mine, theirs, both] = [[...base], [...base], [...base]];
    mine[5] = both[5] = 'typed';
    theirs[19_000] = both[19_000] = 'put back';
    const [own, old, other] = [mine, base, theirs].map(lines => lines.join('\n'));
    expect(mergeLines(own, old, other)).toBe(both.join('\n'));
    const all = mine.map(line => `${line}!`).join('\n');
    expect(mergeLines(all, old, other)).toBeNull();
  }, 5000);
});
