/** What a tool reads of an open document: as it is in the page, and no more than it asks for. */
import { ICodeCellModel, ICellModel } from '@jupyterlab/cells';
import { MultilineString } from '@jupyterlab/nbformat';
import { NotebookPanel } from '@jupyterlab/notebook';
import { IOutputModel } from '@jupyterlab/rendermime';

import * as args from './args';
import { languageOf } from '../place/place';
import { PageFailure } from '../../chat/tools/pageCalls';
import { ErrorOutput, tracebackText } from '../../chat/tracebacks';

/** A larger cell is not told whole, in UTF-16 code units of its JSON. */
const LARGEST_CELL = 1024 * 1024;
/** So many outputs of a cell are told: its first and its last. */
const MOST_OUTPUTS = 40;

/** What a cell showed, cut; `length` is how long it is. */
interface ToldOutput {
  readonly type: 'stream' | 'error' | 'result' | 'display';
  readonly text: string;
  readonly length: number;
  readonly mime: readonly string[];
}

interface ToldCell {
  readonly id: string;
  readonly index: number;
  readonly type: string;
  readonly source: string;
  readonly length: number;
  readonly execution_count: number | null;
  readonly outputs: readonly ToldOutput[];
  /** How many there are, where these are not all. */
  readonly outputs_total?: number;
}

/** Return some cells of a notebook; a kernel is not asked, and not waited for. */
export function readNotebook(panel: NotebookPanel, asked: args.Args): object {
  const cells = panel.context.model.cells;
  const chars = args.count(asked, 'chars', 2000);
  const wanted = args.ids(asked, 'cells');
  const from = args.count(asked, 'from', 0);
  const end = Math.min(cells.length, from + args.count(asked, 'count', cells.length));
  const told: ToldCell[] = [];
  for (let at = wanted ? 0 : from; at < (wanted ? cells.length : end); at += 1) {
    const cell = cells.get(at);
    if (!wanted || wanted.includes(cell.id)) {
      told.push(tell(cell, at, chars));
    }
  }
  if (wanted && told.length < new Set(wanted).size) {
    throw new PageFailure('gone');
  }
  return { total: cells.length, language: languageOf(panel), cells: told };
}

export function readFile(text: string, asked: args.Args): object {
  return { text: cut(text, args.count(asked, 'chars', 2000)), length: text.length };
}

/** Return one cell as the notebook has it, and its neighbours. */
export function wholeCell(panel: NotebookPanel, id: string): object {
  const { cells } = panel.context.model.sharedModel;
  const index = cells.findIndex(one => one.getId() === id);
  if (index < 0) {
    throw new PageFailure('gone');
  }
  const cell = { ...cells[index].toJSON(), id };
  if (JSON.stringify(cell).length > LARGEST_CELL) {
    throw new PageFailure('too_large');
  }
  const idAt = (at: number): string | null => cells[at]?.getId() ?? null;
  return { cell, index, above: idAt(index - 1), below: idAt(index + 1) };
}

function tell(cell: ICellModel, index: number, chars: number): ToldCell {
  const source = cell.sharedModel.getSource();
  const told = {
    ...{ id: cell.id, index, type: cell.type },
    ...{ source: cut(source, chars), length: source.length }
  };
  if (cell.type !== 'code') {
    return { ...told, execution_count: null, outputs: [] };
  }
  const { outputs, executionCount } = cell as ICodeCellModel;
  const total = outputs.length;
  const half = MOST_OUTPUTS / 2;
  const which = Array.from({ length: total }, (_, at) => at).filter(
    at => total <= MOST_OUTPUTS || at < half || at >= total - half
  );
  return {
    ...told,
    execution_count: executionCount,
    outputs: which.map(at => tellOutput(outputs.get(at), chars)),
    ...(which.length < total ? { outputs_total: total } : {})
  };
}

const TYPES: Record<string, ToldOutput['type']> = {
  stream: 'stream',
  error: 'error',
  execute_result: 'result'
};

function tellOutput(output: IOutputModel, chars: number): ToldOutput {
  const type = TYPES[output.type] ?? 'display';
  if (type === 'stream') {
    const text = output.streamText?.text ?? joined(output.toJSON().text as MultilineString);
    return { type, text: cut(text, chars), length: text.length, mime: ['text/plain'] };
  }
  if (type === 'error') {
    const error = output.toJSON() as ErrorOutput;
    const whole = tracebackText(error, Infinity);
    const text = whole.length > chars ? tracebackText(error, Math.max(0, chars - 1)) : whole;
    return { type, text, length: whole.length, mime: [] };
  }
  const data = (output.toJSON().data ?? {}) as Record<string, unknown>;
  const text = wordsOf(data);
  return { type, text: cut(text, chars), length: text.length, mime: Object.keys(data).slice(0, 20) };
}

/** The forms of an output that are words, the plainest first. */
const WORDS = ['text/plain', 'text/markdown', 'text/latex', 'application/json', 'text/html'];

function wordsOf(data: Readonly<Record<string, unknown>>): string {
  const value = data[WORDS.find(type => data[type] !== undefined) ?? ''];
  if (value === undefined) {
    return '';
  }
  const isText = typeof value === 'string' || Array.isArray(value);
  return isText ? joined(value as MultilineString) : JSON.stringify(value);
}

const joined = (text: MultilineString | undefined): string =>
  Array.isArray(text) ? text.join('') : (text ?? '');

/** Keep the beginning of a text, in whole characters. */
function cut(text: string, chars: number): string {
  return text.length > chars ? text.slice(0, chars).replace(/[\ud800-\udbff]$/, '') : text;
}
