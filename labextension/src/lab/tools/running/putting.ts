/** Puts outputs into a cell that ran while no page showed it, as if they came from its file. */
import { ICodeCellModel } from '@jupyterlab/cells';
import { IOutput } from '@jupyterlab/nbformat';
import { NotebookPanel } from '@jupyterlab/notebook';
import { JSONExt } from '@lumino/coreutils';

export interface ToPut {
  readonly outputs: readonly unknown[];
  readonly execution_count?: number | null;
}

/**
 * Put outputs into a cell in the place of those that it has.
 *
 * Nobody has looked at them: they may run as little as those of a notebook that is opened, and
 * where not all of that is trusted, the cell is trusted no more either.
 */
export function putOutputs(panel: NotebookPanel, model: ICodeCellModel, { outputs, execution_count = null }: ToPut): void {
  const put = outputs.filter(isOutput).map(oneText);
  const isThere = JSONExt.deepEqual(model.outputs.toJSON(), put);
  if (isThere && model.executionCount === execution_count) {
    return; // another page of a shared notebook was here
  }
  if (!isTrusted(panel)) {
    model.trusted = false;
    model.sharedModel.deleteMetadata('trusted');
  }
  model.outputs.fromJSON(put);
  model.executionCount = execution_count;
  model.sharedModel.deleteMetadata('execution'); // the times of another run
}

/** Tell whether a notebook is trusted, as JupyterLab does: each of its cells is. */
function isTrusted({ context }: NotebookPanel): boolean {
  const { cells } = context.model;
  for (let at = 0; at < cells.length; at += 1) {
    const cell = cells.get(at);
    if (cell.type === 'code' && !cell.trusted) {
      return false;
    }
  }
  return true;
}

const TYPES = ['stream', 'error', 'execute_result', 'display_data'];

const isOutput = (value: unknown): value is IOutput =>
  typeof value === 'object' &&
  value !== null &&
  TYPES.includes((value as { output_type?: string }).output_type ?? '');

/** Join the lines of a stream: JupyterLab would put empty ones between them. */
function oneText(output: IOutput): IOutput {
  return Array.isArray(output.text) ? { ...output, text: output.text.join('') } : output;
}
