/** The smallest edits that make one text of another. Pure: no DOM. */
import { Change, Chunk, diff } from '@codemirror/merge';
import { Text } from '@codemirror/state';

/** Beyond this the difference is looked for less finely, so that no text holds up the page. */
const DIFF = { scanLimit: 500, timeout: 40 };

/** A part of a source, and what takes its place. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

/** Return the smallest edits that make one text of another, from the first to the last. */
export function editsBetween(before: string, after: string): Edit[] {
  return diff(before, after, DIFF).map(({ fromA, toA, fromB, toB }: Change) => ({
    from: fromA,
    to: toA,
    insert: after.slice(fromB, toB)
  }));
}

/**
 * Split two texts into the runs of lines that differ, each line with its end: so a line that
 * comes behind the last one does not change that one.
 */
export function chunksOf(source: string, proposed: string): readonly Chunk[] {
  return Chunk.build(textOf(`${source}\n`), textOf(`${proposed}\n`), DIFF);
}

/** Return a text as CodeMirror has it. */
export const textOf = (text: string): Text => Text.of(text.split('\n'));
