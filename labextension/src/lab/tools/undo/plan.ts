/**
 * What is to be done to a notebook so that what a reply changed is taken back, or made again.
 * Pure: it looks at the cells as they are now, and loses nothing that a person wrote.
 */
import { chainOf, Turn } from './chain';
import { Edit, wholeCell } from '../args';
import { Change, Moved, Noted } from '../../../stores/agent/toolRoutes';

/** A cell as it is now. */
export interface Cell {
  readonly id: string;
  readonly source: string;
}

/** An edit, and the numbers of the changes that it is for. */
export interface Step {
  readonly edit: Edit;
  readonly changes: readonly number[];
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly outcomes: readonly Moved[];
}

/** What a change did, seen backwards: redoing it is undoing its mirror image. */
interface Back extends Turn {
  readonly id: string;
  readonly isMove: boolean;
  /** Its neighbours to be. */
  readonly above: string | null | undefined;
  readonly below: string | null | undefined;
  /** What comes back. */
  readonly cell: Change['cell'];
  readonly type: string;
}

/**
 * Plan how the changes of one notebook are undone, or made again.
 *
 * @param cells as they are now, in order.
 * @param undone they are to be undone; else to be made again.
 */
export function plan(cells: readonly Cell[], noted: readonly Noted[], undone: boolean): Plan {
  const wanted = undone ? ['done', 'begun'] : ['undone'];
  const backs = noted
    .filter(one => wanted.includes(one.state))
    .sort((one, other) => (undone ? other.n - one.n : one.n - other.n))
    .map(one => backOf(one, undone));
  const outcomes = new Map<number, Moved>();
  // a file is no part of a notebook
  const known = backs.flatMap(back => (typeof back === 'number' ? [] : [back]));
  for (const back of backs) {
    if (typeof back === 'number') {
      outcomes.set(back, { n: back, outcome: 'left', why: 'no_cell' });
    }
  }
  const sources = new Map(cells.map(({ id, source }) => [id, source]));
  const last = new Map<string, number>();
  const ends = new Map<string, string | null>();
  for (const id of new Set(known.map(back => back.id))) {
    const own = known.filter(back => back.id === id && !back.isMove);
    const chain = chainOf(sources.get(id) ?? null, own);
    chain.outcomes.forEach(one => outcomes.set(one.n, one));
    if (chain.end !== undefined) {
      ends.set(id, chain.end);
      last.set(id, own.at(-1)?.n ?? -1);
    }
  }
  const order = cells.map(({ id }) => id);
  // what the reply had put in and taken out again: others stood beside it meanwhile
  const unreal = new Set<string>();
  const realAbove = (at: number): string | null =>
    order.slice(0, at).reverse().find(one => !unreal.has(one)) ?? null;
  const steps: Step[] = [];
  const numbersOf = (id: string): number[] =>
    known.filter(back => back.id === id && !back.isMove).map(({ n }) => n);
  for (const back of known) {
    const { id, n } = back;
    if (back.isMove) {
      const before = order.filter(one => !unreal.has(one)).join();
      outcomes.set(n, move(order, back));
      if (!unreal.has(id) && order.filter(one => !unreal.has(one)).join() !== before) {
        const after = realAbove(order.indexOf(id));
        steps.push({ edit: { action: 'move', cell_id: id, after }, changes: [n] });
      }
      continue;
    }
    const end = ends.get(id);
    const now = sources.get(id) ?? null;
    const isThere = order.includes(id);
    if (end === null && now === null) {
      if (back.from === null && !isThere) {
        order.splice(placeOf(order, back), 0, id);
        unreal.add(id);
      } else if (back.to === null && isThere) {
        order.splice(order.indexOf(id), 1);
        unreal.delete(id);
      }
    }
    if (end === undefined || end === now) {
      continue;
    }
    if (end === null && back.to === null) {
      steps.push({ edit: { action: 'delete', cell_id: id, before: now ?? '' }, changes: numbersOf(id) });
      order.splice(order.indexOf(id), 1);
      sources.delete(id);
    } else if (end !== null && !isThere && back.from === null) {
      const at = placeOf(order, back);
      const after = realAbove(at);
      steps.push({ edit: { action: 'insert', cell: cellOf(back, end), after }, changes: numbersOf(id) });
      order.splice(at, 0, id);
      sources.set(id, end);
    } else if (end !== null && isThere && now !== null && n === last.get(id)) {
      const edit = { action: 'replace', cell_id: id, before: now, source: end } as const;
      steps.push({ edit, changes: numbersOf(id) });
      sources.set(id, end);
    }
  }
  return { steps, outcomes: [...outcomes.values()].sort((one, other) => one.n - other.n) };
}

/** Turn a change round; only its number, where it is of no cell. */
function backOf(change: Noted, undone: boolean): Back | number {
  const { n, action, cell_id: id, cell, beside } = change;
  if (!id) {
    return n;
  }
  const [before, after] = [change.before ?? '', change.after ?? ''];
  const old: Record<Change['action'], string | null> = {
    insert: null,
    replace: before,
    delete: before,
    move: null,
    run: null,
    write: null
  };
  const made: Record<Change['action'], string | null> = {
    insert: after,
    replace: after,
    delete: null,
    move: null,
    run: null,
    write: null
  };
  const [from, to] = undone ? [made[action], old[action]] : [old[action], made[action]];
  const was = [beside?.above, beside?.below];
  const is = [beside?.new_above ?? beside?.above, beside?.new_below ?? beside?.below];
  const isNew = action === 'move' ? [beside?.new_above, beside?.new_below] : is;
  const [above, below] = undone ? was : isNew;
  const type = change.cell_type ?? 'code';
  return { n, id, from, to, isMove: action === 'move', above, below, cell, type };
}

/** Move a cell between its neighbours, if both are there, side by side. */
function move(order: string[], { n, id, above, below }: Back): Moved {
  const leave = (why: string): Moved => ({ n, outcome: 'left', why });
  const from = order.indexOf(id);
  if (from < 0) {
    return leave('gone');
  }
  const others = order.filter(one => one !== id);
  const at = above === null ? 0 : others.indexOf(above ?? '') + 1;
  const isThere = above === null || (above !== undefined && at > 0);
  if (!isThere || (others[at] ?? null) !== below) {
    return leave('neighbours');
  }
  order.splice(0, order.length, ...others.slice(0, at), id, ...others.slice(at));
  return { n, outcome: 'put_back' };
}

/** Where a cell comes back: behind the neighbour that it stood behind, else above the other. */
function placeOf(order: readonly string[], { above, below }: Back): number {
  if (above === null) {
    return 0;
  }
  const at = order.indexOf(above ?? '');
  const under = order.indexOf(below ?? '');
  return at >= 0 ? at + 1 : under >= 0 ? under : order.length;
}

/** What comes back: with its outputs, where they were kept. */
function cellOf({ id, cell, type }: Back, source: string): ReturnType<typeof wholeCell> {
  const kept = cell ?? { cell_type: type, metadata: type === 'code' ? { trusted: true } : {} };
  return wholeCell({ ...kept, id, source });
}
