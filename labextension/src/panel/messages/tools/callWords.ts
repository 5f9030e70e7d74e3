/** The words for a tool call: what it does, where it is, and how long it took. */
import { TranslationBundle } from '@jupyterlab/translation';

import { Change } from '../../../stores/agent/toolRoutes';
import { ToolCall } from '../../../wire/protocol';

/** What can be told of arguments, also where they are cut. */
export function argument(args: string | undefined, name: string): string {
  const found = new RegExp(`"${name}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")`).exec(args ?? '');
  try {
    return found ? (JSON.parse(found[1]) as string) : '';
  } catch {
    return '';
  }
}

const LONGEST = 60;

const shortened = (text: string): string =>
  text.length > LONGEST ? `${[...text].slice(0, LONGEST).join('')}…` : text;

const baseName = (path: string): string => path.split('/').pop() ?? path;

/**
 * Say what a call does; null for a tool of another package, which is told by its name.
 *
 * @param indexOf tells where a cell of a notebook stands, from 0; -1 where nobody knows.
 */
export function callWords(
  trans: TranslationBundle,
  call: ToolCall,
  indexOf: (path: string, cellId: string) => number
): string | null {
  const whole = argument(call.args, 'path');
  const path = shortened(baseName(whole));
  switch (path || call.name === 'list_documents' || call.name === 'search_files' ? call.name : '') {
    case 'list_documents':
      return trans.__('Look at what is open');
    case 'read_notebook':
    case 'read_file':
      return trans.__('Read %1', path);
    case 'search_files':
      return trans.__('Search files for “%1”', shortened(argument(call.args, 'text')));
    case 'write_file':
      return trans.__('Write %1', path);
    case 'insert_cell':
      return trans.__('Insert a cell into %1', path);
    case 'replace_cell':
      return trans.__('Change a cell of %1', path);
    case 'move_cell':
      return trans.__('Move a cell of %1', path);
    case 'delete_cell':
      return trans.__('Delete a cell of %1', path);
    case 'run_cell': {
      const at = indexOf(whole, argument(call.args, 'cell_id'));
      return at < 0
        ? trans.__('Run a cell of %1', path)
        : trans.__('Run cell %1 of %2', at + 1, path);
    }
    case 'restart_kernel':
      return trans.__('Restart the kernel of %1', path);
    default:
      return null;
  }
}

/** A cell that runs: what its kernel does is told, and can be acted on. */
export const isRun = (call: ToolCall): boolean => call.name === 'run_cell';

/** @param asks the cell asks its person something, in this page. */
export function stateWords(trans: TranslationBundle, call: ToolCall, asks = false): string {
  if (call.state === 'running') {
    if (asks) {
      return trans.__('waits for your input in the notebook');
    }
    return call.waits_for ? trans.__('waits for the kernel') : trans.__('running');
  }
  const words: Record<ToolCall['state'], string> = {
    asked: trans.__('waits for your answer'),
    waiting: trans.__('waits for its turn'),
    running: trans.__('running'),
    completed: trans.__('done'),
    failed: trans.__('failed'),
    refused: trans.__('not allowed'),
    interrupted:
      call.duration_ms === undefined && call.touches
        ? trans.__('stopped before it began')
        : trans.__('stopped'),
    still_running: isRun(call)
      ? trans.__('the cell is still running')
      : trans.__('stopped, still running')
  };
  return words[call.state];
}

/** Say how long it took; nothing where that is not worth a word. */
export function durationWords(trans: TranslationBundle, ms: number | undefined): string {
  if (ms === undefined || ms < 100) {
    return '';
  }
  if (ms < 60_000) {
    return trans.__('%1 s', (ms / 1000).toFixed(1));
  }
  const seconds = Math.round(ms / 1000);
  return trans.__('%1 min %2 s', Math.floor(seconds / 60), seconds % 60);
}

/**
 * Say what a change does.
 *
 * @param index where its cell stands, from 0; -1 where nobody knows.
 */
export function changeWords(trans: TranslationBundle, change: Change, index: number): string {
  const name = baseName(change.path);
  const isKnown = index >= 0;
  const cell = index + 1;
  switch (change.action) {
    case 'insert':
      return isKnown
        ? trans.__('New cell %1 of %2', cell, name)
        : trans.__('A new cell of %1', name);
    case 'delete':
      return isKnown
        ? trans.__('Delete cell %1 of %2', cell, name)
        : trans.__('Delete a cell of %1', name);
    case 'move':
      return isKnown ? trans.__('Move cell %1 of %2', cell, name) : trans.__('Move a cell of %1', name);
    case 'replace':
      return isKnown
        ? trans.__('Change cell %1 of %2', cell, name)
        : trans.__('Change a cell of %1', name);
    case 'run':
      return isKnown ? trans.__('Run cell %1 of %2', cell, name) : trans.__('Run a cell of %1', name);
    case 'write':
      // where a new file comes to be is decided on, too
      return typeof change.before === 'string'
        ? trans.__('Change the file %1', change.path)
        : trans.__('New file %1', change.path);
  }
}
