/** N19: the kernel of an open notebook is started where it has none that lives. */
import { NotebookPanel } from '@jupyterlab/notebook';
import { beforeEach, expect, it } from 'vitest';

import { startKernel } from '../../../../src/lab/tools/running/startKernel';
import { NotWanted } from '../../../../src/chat/tools/pageCalls';

let kernel: { id: string; status: string } | null;
let done: string[];
/** JupyterLab would ask its person which. */
let asksWhich: boolean;
let starts: boolean;

const panel = {
  context: { model: { defaultKernelName: 'gone' } },
  sessionContext: {
    get session() {
      return { kernel };
    },
    specsManager: { specs: { default: 'python3', kernelspecs: { python3: {} } } },
    startKernel: () => {
      done.push('start');
      kernel = asksWhich || !starts ? null : { id: 'new', status: 'unknown' };
      return Promise.resolve(asksWhich);
    },
    changeKernel: ({ name }: { name: string }) => {
      done.push(`change ${name}`);
      kernel = starts ? { id: 'chosen', status: 'unknown' } : null;
      return starts ? Promise.resolve(kernel) : Promise.reject(new Error('no'));
    },
    restartKernel: () => {
      done.push('restart');
      (kernel as { status: string }).status = 'unknown';
      return Promise.resolve();
    }
  }
} as unknown as NotebookPanel;

beforeEach(() => {
  [kernel, done, asksWhich, starts] = [null, [], false, true];
});

const start = (begin = (): void => undefined) => startKernel(panel, begin);

it('starts the one that the notebook would have', async () => {
  expect(await start()).toEqual({ kernel_id: 'new' });
  expect(done).toEqual(['start']);
});

it('starts the server’s own where its person had chosen none', async () => {
  asksWhich = true;
  expect(await start()).toEqual({ kernel_id: 'chosen' });
  expect(done).toEqual(['start', 'change python3']);
});

it('leaves one that lives as it is, and begins a dead one anew', async () => {
  kernel = { id: 'k', status: 'busy' };
  expect(await start()).toEqual({ kernel_id: 'k' });
  kernel.status = 'dead';
  expect(await start()).toEqual({ kernel_id: 'k' });
  expect(done).toEqual(['restart']);
});

it('says where none could be started, and starts none behind a stop', async () => {
  [asksWhich, starts] = [true, false];
  await expect(start()).rejects.toMatchObject({ code: 'failed' });
  done = [];
  const stopped = (): void => {
    throw new NotWanted();
  };
  await expect(start(stopped)).rejects.toThrow(NotWanted);
  expect(done).toEqual([]);
});
