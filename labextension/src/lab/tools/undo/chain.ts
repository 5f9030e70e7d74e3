/** What becomes of one text whose changes are taken back, or made again. Pure. */
import { mergeLines } from './mergeLines';
import { Moved } from '../../../stores/agent/toolRoutes';

/** One change as it is to be made now; null: no such cell, or no such file. */
export interface Turn {
  /** Its number within the message. */
  readonly n: number;
  /** What there is, and what there is to be. */
  readonly from: string | null;
  readonly to: string | null;
}

/**
 * Tell what becomes of one text, change by change; no `end`: it is left as it is.
 *
 * @param now null where there is no such cell or file.
 */
export function chainOf(
  now: string | null,
  chain: readonly Turn[]
): { end?: string | null; outcomes: Moved[] } {
  const settled = (): Moved[] => chain.map(({ n }) => ({ n, outcome: 'put_back' }));
  if (chain.length === 0 || chain.at(-1)?.to === now) {
    return { end: now, outcomes: settled() }; // it is so already
  }
  const outcomes: Moved[] = [];
  let source = now;
  const leave = (why: string): { outcomes: Moved[] } => ({
    outcomes: chain.map(({ n }) => ({ n, outcome: 'left', why }))
  });
  for (const { n, from, to } of chain) {
    if (source === from) {
      source = to;
      outcomes.push({ n, outcome: 'put_back' });
    } else if (source === to || (from === null && source !== null)) {
      outcomes.push({ n, outcome: 'put_back' }); // a person has done it
    } else if (source === null) {
      return leave('gone');
    } else if (to === null || from === null) {
      return leave('changed');
    } else {
      const merged = mergeLines(source, from, to);
      if (merged === null) {
        return leave('changed');
      }
      source = merged;
      outcomes.push({ n, outcome: 'merged' });
    }
  }
  return { end: source, outcomes };
}
