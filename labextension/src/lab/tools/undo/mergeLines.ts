/** Merge two changes of one text by lines. Pure. */
import { diff3Merge } from 'node-diff3';

import { chunksOf } from '../../../text/edits';

/** A conflict of more lines is not looked into: the search takes their third power. */
const MOST_LINES = 200;

/** Where one side differs, in UTF-16 code units of the base and of the side. */
interface Run {
  readonly side: 'mine' | 'theirs';
  readonly fromA: number;
  readonly toA: number;
  readonly fromB: number;
  readonly toB: number;
}

/**
 * Return a text with both changes; null where they touch the same lines.
 *
 * Where only one side differs, its lines are taken; only what both touch is merged line by line,
 * as long texts with many lines that are alike would hold up the page.
 *
 * @param base what both began from.
 */
export function mergeLines(mine: string, base: string, theirs: string): string | null {
  const texts = { mine: `${mine}\n`, base: `${base}\n`, theirs: `${theirs}\n` };
  const runs = [...runsOf('mine', base, mine), ...runsOf('theirs', base, theirs)].sort(
    (one, other) => one.fromA - other.fromA || one.toA - other.toA
  );
  const merged: string[] = [];
  let told = 0;
  // how far a place behind all runs so far is moved on each side
  const moved = { mine: 0, theirs: 0 };
  for (let at = 0; at < runs.length; ) {
    const from = runs[at].fromA;
    const before = { ...moved };
    const sides = new Set<Run['side']>();
    let to = from;
    // what touches is one place: lines put in side by side have no order
    while (at < runs.length && runs[at].fromA <= to) {
      const { side, toA, toB } = runs[at];
      to = Math.max(to, toA);
      moved[side] = toB - toA;
      sides.add(side);
      at += 1;
    }
    const part = (side: Run['side']): string =>
      texts[side].slice(from + before[side], to + moved[side]);
    merged.push(texts.base.slice(told, from));
    if (sides.size === 1) {
      merged.push(part([...sides][0]));
    } else {
      const both = mergePlace(part('mine'), texts.base.slice(from, to), part('theirs'));
      if (both === null) {
        return null;
      }
      merged.push(both);
    }
    told = to;
  }
  merged.push(texts.base.slice(told));
  return merged.join('').replace(/\n$/, '');
}

function runsOf(side: Run['side'], base: string, text: string): Run[] {
  return chunksOf(base, text).map(({ fromA, toA, fromB, toB }) => ({
    ...{ side, fromA, toA: Math.min(toA, base.length + 1) },
    ...{ fromB, toB: Math.min(toB, text.length + 1) }
  }));
}

/** Merge a place that both sides touch; each of its lines has its end. */
function mergePlace(mine: string, base: string, theirs: string): string | null {
  if (mine === theirs) {
    return mine;
  }
  const [own, old, other] = [mine, base, theirs].map(text => text.split(/(?<=\n)/).filter(Boolean));
  if (own.length + old.length + other.length > MOST_LINES) {
    return null;
  }
  const regions = diff3Merge(own, old, other);
  return regions.every(one => one.ok) ? regions.flatMap(one => one.ok ?? []).join('') : null;
}
