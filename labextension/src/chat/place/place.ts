/**
 * Where the person is, as a model is told: the notebook with its active cell and the cells around
 * it, or the file with the caret. Pure: no DOM, no JupyterLab.
 */
import { Cell, cellText, fenced, outputsText } from '../attachments';

/** What of a notebook is looked at. */
export interface NotebookPlace {
  readonly path: string;
  /** The language of its kernel; empty where nobody knows. */
  readonly language: string;
  /** How many cells it has, and which one is active; -1 for none. */
  readonly count: number;
  readonly active: number;
  /** Return a cell, null where it is not known; only those that there is room for are asked for. */
  readonly cell: (at: number) => Cell | null;
  /** What is selected in the active cell. */
  readonly selection: string;
}

/** What of a file is looked at: all of it, and what is selected in it, as offsets. */
export interface FilePlace {
  readonly path: string;
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** So much of the room the active cell may have, and what is selected in it. */
const ACTIVE = 0.6;
const SELECTED = 0.2;
/** The least that is worth telling, in UTF-16 code units. */
export const LEAST = 500;
/** So many outputs of a cell are looked at, and so much of each: more than a model is told. */
const OUTPUTS = 20;
const OUTPUT = 20_000;
/** What stands for words that are left out. */
const GAP = '[…]';

/**
 * Write down where in a notebook the person is.
 *
 * @param most how long it may be, in UTF-16 code units.
 */
export function notebookPlace(place: NotebookPlace, most: number): string {
  const { path, language, count, active } = place;
  const hasActive = active >= 0 && active < count;
  const about = [
    `Path: ${path}`,
    ...(language ? [`Kernel language: ${language}`] : []),
    `Cells: ${count}${hasActive ? `, of which cell ${active + 1} is the active one` : ''}`
  ].join('\n');
  if (!hasActive) {
    return shortened(about, most);
  }
  const selected = place.selection.trim()
    ? `Selected in cell ${active + 1}:\n${fenced(shortened(place.selection, most * SELECTED))}`
    : '';
  const here = cutCell(place, active, most * ACTIVE);
  const cells = new Map([[active, here]]);
  let left = most - about.length - selected.length - here.length - 6;
  // the nearest first, before it and behind it in turn; none from beyond one that has no room
  for (let far = 1, steps = [-1, 1]; steps.length > 0; far += 1) {
    steps = steps.filter(step => {
      const at = active + step * far;
      const text = at >= 0 && at < count ? wholeCell(place, at) : null;
      if (!text || text.length + 2 > left) {
        return false;
      }
      cells.set(at, text);
      left -= text.length + 2;
      return true;
    });
  }
  const told = [...cells].sort(([one], [other]) => one - other).map(([, text]) => text);
  return [about, ...told, selected].filter(Boolean).join('\n\n');
}

/** Write down where in a file the person is: what is selected, and the lines around it. */
export function filePlace(place: FilePlace, most: number): string {
  const { path, text } = place;
  const from = Math.min(place.from, place.to, text.length);
  const to = Math.min(Math.max(place.from, place.to), text.length);
  const lines = text.split('\n');
  const [first, last] = [lineOf(text, from), lineOf(text, to)];
  const where =
    from === to
      ? `The caret is in line ${first}`
      : `Lines ${first} to ${last} hold the selection`;
  const about = `Path: ${path}\n${where} of ${lines.length}.`;
  const selection = text.slice(from, to);
  const selected = selection.trim()
    ? `Selected:\n${fenced(shortened(selection, most * ACTIVE))}`
    : '';
  const left = most - about.length - selected.length - 80;
  const [begin, end] = around(lines, first - 1, last - 1, left);
  const shown =
    begin < end
      ? `Lines ${begin + 1} to ${end}:\n${fenced(lines.slice(begin, end).join('\n'))}`
      : '';
  return [about, selected, shown].filter(Boolean).join('\n\n');
}

/** Find the cell that failed last: the one that was run last of those that failed. */
export function lastFailed(cells: readonly Cell[]): number {
  let found = -1;
  cells.forEach((cell, at) => {
    const fails = cell.outputs?.some(output => output.output_type === 'error') ?? false;
    const count = cell.execution_count ?? 0;
    if (fails && (found < 0 || count >= (cells[found].execution_count ?? 0))) {
      found = at;
    }
  });
  return found;
}

/** Keep the beginning and the end of a text. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) {
    return text;
  }
  const half = Math.max(0, Math.floor((most - GAP.length - 2) / 2));
  const head = text.slice(0, half).replace(/[\ud800-\udbff]$/, '');
  const tail = half > 0 ? text.slice(-half).replace(/^[\udc00-\udfff]/, '') : '';
  return `${head}\n${GAP}\n${tail}`;
}

/** Count the line that an offset is in, from 1. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
  }
  return line;
}

function titleOf({ active }: NotebookPlace, at: number, cell: Cell): string {
  const kind = cell.cell_type === 'code' ? '' : `, ${cell.cell_type ?? 'raw'}`;
  return `Cell ${at + 1}${kind}${at === active ? ' (the active cell)' : ''}:`;
}

/** Write a cell down; nothing where it is not known. */
function wholeCell(place: NotebookPlace, at: number): string {
  const known = place.cell(at);
  if (!known) {
    return '';
  }
  const cell = withFewOutputs(known);
  return `${titleOf(place, at, cell)}\n${cellText(cell, place.language || 'text') || '(empty)'}`;
}

/** Write a cell down, with its middle left out where it is too long. */
function cutCell(place: NotebookPlace, at: number, most: number): string {
  const whole = wholeCell(place, at);
  if (whole.length <= most) {
    return whole;
  }
  const { outputs, ...code } = withFewOutputs(place.cell(at) ?? {});
  const title = titleOf(place, at, code);
  const room = Math.max(0, most - title.length - 20); // for the fence
  const printed = outputsText({ outputs });
  // the code may have more of the room than what it printed
  const source = shortened(joined(code.source), printed ? room * 0.6 : room);
  const told = cellText({ ...code, source }, place.language || 'text');
  const rest = shortened(printed, room - told.length - 2);
  return [`${title}\n${told}`, rest].filter(Boolean).join('\n\n');
}

/** Leave out what no model is told of outputs, before it is looked at: there may be 10 MB of it. */
function withFewOutputs(cell: Cell): Cell {
  const { outputs = [] } = cell;
  const few = outputs.length > OUTPUTS ? [...outputs.slice(0, OUTPUTS / 2), ...outputs.slice(-OUTPUTS / 2)] : outputs;
  return {
    ...cell,
    outputs: few.map(output => ({
      ...output,
      ...(output.text === undefined ? {} : { text: joined(output.text).slice(0, OUTPUT) }),
      ...(output.traceback ? { traceback: [output.traceback.join('\n').slice(-OUTPUT)] } : {})
    }))
  };
}

const joined = (text: string | string[] = ''): string =>
  Array.isArray(text) ? text.join('') : text;

/** Return the lines around some, as far as there is room: the first, and the one behind the last. */
function around(
  lines: readonly string[],
  first: number,
  last: number,
  most: number
): [number, number] {
  let begin = Math.floor((first + last) / 2);
  let end = begin;
  let left = most;
  for (let open = [true, true]; open.includes(true); ) {
    open = open.map((isOpen, side) => {
      const line = lines[side === 0 ? end : begin - 1];
      if (!isOpen || line === undefined || line.length + 1 > left) {
        return false;
      }
      left -= line.length + 1;
      [begin, end] = side === 0 ? [begin, end + 1] : [begin - 1, end];
      return true;
    });
  }
  return [begin, end];
}
