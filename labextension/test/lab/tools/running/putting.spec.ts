// @vitest-environment jsdom
/** N6, N8: outputs that are put into a real cell: whole, and no more trusted than its notebook. */
import { NotebookPanel } from '@jupyterlab/notebook';
import { beforeEach, expect, it, vi } from 'vitest';

import { putOutputs } from '../../../../src/lab/tools/running/putting';

type Model = import('@jupyterlab/cells').CodeCellModel;

let models: Model[];
let panel: NotebookPanel;

// what a browser has, and JupyterLab's parts look for as they are loaded
vi.stubGlobal('DragEvent', Event);
vi.stubGlobal('matchMedia', () => new EventTarget());
const { CodeCellModel } = await import('@jupyterlab/cells/lib/model');

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(); // Yjs, where JupyterLab makes a cell
  models = [new CodeCellModel({}), new CodeCellModel({})];
  const cells = { length: 2, get: (at: number) => models[at] };
  panel = { context: { model: { cells } } } as never;
});

const html = {
  ...{ output_type: 'display_data', metadata: {} },
  data: { 'text/html': '<script>ours()</script>', 'text/plain': 'ours' }
};
const run = { outputs: [{ output_type: 'stream', name: 'stdout', text: ['one\n', 'two\n'] }, html], execution_count: 4 };

it('puts outputs and their number in the place of those that were there', () => {
  const [model] = models;
  model.outputs.add({ output_type: 'stream', name: 'stderr', text: 'old' });
  model.sharedModel.setMetadata('execution', { 'iopub.execute_input': 'then' });
  putOutputs(panel, model, { ...run, outputs: [...run.outputs, null, { output_type: 'odd' }] });
  const put = [{ output_type: 'stream', name: 'stdout', text: 'one\ntwo\n' }, html];
  expect(model.outputs.toJSON()).toEqual(put);
  expect(model.sharedModel.toJSON()).toMatchObject({ outputs: put, execution_count: 4 });
  expect(model.getMetadata('execution')).toBeUndefined();
});

it('trusts them where all of the notebook is trusted, as JupyterLab does with its file', () => {
  models.forEach(one => (one.trusted = true));
  putOutputs(panel, models[0], run);
  expect([models[0].trusted, models[0].outputs.get(1).trusted]).toEqual([true, true]);
});

it('trusts nothing of them elsewhere, also in a cell that was trusted while it was empty', () => {
  models[0].trusted = true; // the other one is not
  putOutputs(panel, models[0], run);
  expect([models[0].trusted, models[0].outputs.get(1).trusted]).toEqual([false, false]);
  expect(models[0].sharedModel.getMetadata('trusted')).toBeUndefined(); // nor in its file
});

it('leaves a cell alone that another page has put them into', () => {
  putOutputs(panel, models[0], run);
  const changed = vi.fn();
  models[0].outputs.changed.connect(changed);
  putOutputs(panel, models[0], run);
  expect(changed).not.toHaveBeenCalled();
});
