/** Reads what a tool asks of the page: what does not fit is refused, and nothing is guessed. */
import { ICell } from '@jupyterlab/nbformat';

import { PageFailure } from '../../chat/tools/pageCalls';

export type Args = Readonly<Record<string, unknown>>;

const bad = (): PageFailure => new PageFailure('bad_request');

export function text(args: Args, name: string): string {
  const value = args[name];
  if (typeof value !== 'string') {
    throw bad();
  }
  return value;
}

/** Read a text, or null where there is none: of ids, for the notebook's end. */
export function textOrNull(args: Args, name: string): string | null {
  return args[name] === null ? null : text(args, name);
}

export function count(args: Args, name: string, otherwise: number): number {
  const value = args[name] ?? otherwise;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw bad();
  }
  return value;
}

/** Read some ids; null where none are named. */
export function ids(args: Args, name: string): readonly string[] | null {
  const value = args[name] ?? null;
  const fits = value === null || (Array.isArray(value) && value.every(one => typeof one === 'string'));
  if (!fits) {
    throw bad();
  }
  return value;
}

/** What is to be changed in a notebook; `after` is the cell above, null for the top. */
export type Edit =
  | {
      readonly action: 'insert';
      readonly cell_id: string;
      readonly cell_type: 'code' | 'markdown' | 'raw';
      readonly source: string;
      readonly after: string | null;
    }
  | { readonly action: 'insert'; readonly cell: ICell & { id: string }; readonly after: string | null }
  | {
      readonly action: 'replace';
      readonly cell_id: string;
      readonly before: string;
      readonly source: string;
    }
  | { readonly action: 'delete'; readonly cell_id: string; readonly before: string }
  | { readonly action: 'move'; readonly cell_id: string; readonly after: string | null };

const TYPES = ['code', 'markdown', 'raw'] as const;

/** Read an edit, whole and in its types, before anything of it is done. */
export function editOf(args: Args): Edit {
  const edit = args.edit;
  if (!isRecord(edit)) {
    throw bad();
  }
  const cell_id = (): string => {
    const id = text(edit, 'cell_id');
    // what the notebook's format allows
    if (!/^[a-zA-Z0-9-_]{1,64}$/.test(id)) {
      throw bad();
    }
    return id;
  };
  switch (edit.action) {
    case 'insert': {
      const after = textOrNull(edit, 'after');
      if (isRecord(edit.cell)) {
        return { action: 'insert', cell: wholeCell(edit.cell), after };
      }
      const cell_type = TYPES.find(one => one === edit.cell_type);
      if (!cell_type) {
        throw bad();
      }
      return { action: 'insert', cell_id: cell_id(), cell_type, source: text(edit, 'source'), after };
    }
    case 'replace':
      return {
        action: 'replace',
        cell_id: text(edit, 'cell_id'),
        before: text(edit, 'before'),
        source: text(edit, 'source')
      };
    case 'delete':
      return { action: 'delete', cell_id: text(edit, 'cell_id'), before: text(edit, 'before') };
    case 'move':
      return { action: 'move', cell_id: text(edit, 'cell_id'), after: textOrNull(edit, 'after') };
    default:
      throw bad();
  }
}

/** Read a cell as a notebook's file has it. */
export function wholeCell(cell: Readonly<Record<string, unknown>>): ICell & { id: string } {
  const id = text(cell, 'id');
  const cell_type = TYPES.find(one => one === cell.cell_type);
  if (!cell_type || !isRecord(cell.metadata ?? {}) || !Array.isArray(cell.outputs ?? [])) {
    throw bad();
  }
  return {
    ...cell,
    ...{ id, cell_type, source: joined(cell.source), metadata: cell.metadata ?? {} },
    ...(cell_type === 'code' ? { outputs: ((cell.outputs ?? []) as unknown[]).map(oneText) } : {})
  } as unknown as ICell & { id: string };
}

/** Join the lines of a stream: a shared cell would put commas between them. */
function oneText(output: unknown): unknown {
  return isRecord(output) && Array.isArray(output.text)
    ? { ...output, text: output.text.join('') }
    : output;
}

const joined = (source: unknown): string =>
  Array.isArray(source) ? source.join('') : typeof source === 'string' ? source : '';

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
