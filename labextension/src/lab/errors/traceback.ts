/** What a model is told of a cell that failed. Pure: no DOM, no notebook. */
import { Cell, cellText, fenced } from '../../chat/attachments';
import { ErrorOutput, tracebackText } from '../../chat/tracebacks';

/** So much of a traceback is told, in UTF-16 code units: its end, where the error was raised. */
const MOST = 8000;

/** What a person's own interrupt leaves is no error to be mended. */
const INTERRUPT = 'KeyboardInterrupt';

/** Tell whether an output is the traceback of an error. */
export function isError(output: ErrorOutput): boolean {
  return output.output_type === 'error' && output.ename !== INTERRUPT;
}

/** Write down a cell and the errors that it ended with, as Markdown; what it printed is left out. */
export function failedCellText(cell: Cell, language: string): string {
  const errors = ((cell.outputs ?? []) as ErrorOutput[]).filter(isError);
  const source = cellText({ ...cell, outputs: [] }, language);
  return [source, ...errors.map(error => `Traceback:\n${fenced(tracebackText(error, MOST))}`)].filter(Boolean).join('\n\n');
}
