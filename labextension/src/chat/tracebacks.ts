/** The words of an error that a cell ended with. Pure: no DOM, no notebook. */

/** What a cell's output says of an error. */
export interface ErrorOutput {
  readonly output_type?: string;
  readonly ename?: string;
  readonly evalue?: string;
  readonly traceback?: readonly string[];
}

/** What steers a terminal: colours, links, moves of the caret. */
const CONTROLS = /\u001b\[[0-9;:?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\r/g;

/**
 * Return the words of a traceback; its end in any case, where the error was raised.
 *
 * @param most in UTF-16 code units.
 */
export function tracebackText(error: ErrorOutput, most: number): string {
  const trace = (error.traceback ?? []).join('\n').replace(CONTROLS, '').trimEnd();
  if (trace === '') {
    return `${error.ename ?? 'Error'}: ${error.evalue ?? ''}`.slice(0, most);
  }
  return trace.length > most ? `…${trace.slice(-most).replace(/^[\udc00-\udfff]/, '')}` : trace;
}
