/** The difference of two texts by lines, as it is read. Pure: no DOM. */
import { chunksOf } from './edits';

export interface Line {
  /** `gap`: lines that are the same are left out. */
  readonly kind: 'same' | 'gone' | 'new' | 'gap';
  readonly text: string;
}

/** So many lines that are the same are shown around a change. */
const AROUND = 2;

/**
 * Return what differs, with some of what is around it.
 *
 * @param before null where there was none.
 * @param after null where there is none any more.
 */
export function lineDifference(before: string | null, after: string | null): Line[] {
  if (before === null || after === null) {
    const kind = before === null ? 'new' : 'gone';
    return (after ?? before ?? '').split('\n').map(text => ({ kind, text }));
  }
  const source = before.split('\n');
  const lines: Line[] = [];
  const all = `${before}\n`;
  const proposed = `${after}\n`;
  let told = 0;
  const same = (to: number, isLast: boolean): void => {
    const between = source.slice(told, to);
    const head = told === 0 ? 0 : AROUND;
    const tail = isLast ? 0 : AROUND;
    const put = (text: string): unknown => lines.push({ kind: 'same', text });
    if (between.length <= head + tail + 1) {
      between.forEach(put);
    } else {
      between.slice(0, head).forEach(put);
      lines.push({ kind: 'gap', text: String(between.length - head - tail) });
      between.slice(between.length - tail).forEach(put);
    }
    told = to;
  };
  for (const { fromA, toA, fromB, toB } of chunksOf(before, after)) {
    same(linesIn(all.slice(0, fromA)), false);
    const gone = linesOf(all.slice(fromA, toA));
    gone.forEach(text => lines.push({ kind: 'gone', text }));
    linesOf(proposed.slice(fromB, toB)).forEach(text => lines.push({ kind: 'new', text }));
    told += gone.length;
  }
  if (told > 0 || lines.length > 0) {
    same(source.length, true);
  }
  return lines;
}

/** Count the lines that come and go. */
export function counted(lines: readonly Line[]): { gone: number; fresh: number } {
  const count = (kind: Line['kind']): number => lines.filter(one => one.kind === kind).length;
  return { gone: count('gone'), fresh: count('new') };
}

const linesIn = (text: string): number => text.split('\n').length - 1;

/** Split what ends with a line's end; what of the last line is behind the text is no line. */
function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
