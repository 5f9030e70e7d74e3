/** N6: what cells showed while no page had them open is put in where it belongs, once. */
import { NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { KeptOutputs } from '../../../../src/lab/tools/running/keptOutputs';
import { KeptRun } from '../../../../src/stores/agent/toolRoutes';
import { uuid } from '../../../support';

const put = vi.hoisted(() => [] as unknown[]);
vi.mock('../../../../src/lab/tools/running/putting', () => ({
  putOutputs: (_panel: unknown, cell: { id: string }, run: KeptRun) =>
    put.push([cell.id, run.outputs, run.execution_count])
}));

const SOURCE = 'print("ä€𝄞")';
const digest = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');
const run: KeptRun = {
  ...{ message_id: uuid(2), call_id: 'c1', path: 'x/a.ipynb', cell_id: 'a' },
  ...{ source_digest: digest(SOURCE), outputs: ['one'], execution_count: 4, ended_at: '2026-01-01T00:00:01Z' }
};

interface FakeCell {
  id: string;
  type: string;
  executionState: string;
  executionCount: number | null;
  stateChanged: Signal<object, unknown>;
  sharedModel: { getSource: () => string };
}

let kept: KeptRun[];
let asked: string[];
let dropped: string[];
let isAway: boolean;
let cells: FakeCell[];
let panel: NotebookPanel;
let hasRun: boolean;
let opened: Signal<object, NotebookPanel>;
let keptOutputs: KeptOutputs;
let statusChanged: Signal<object, string>;

const cell = (id: string, source: string): FakeCell => ({
  ...{ id, type: 'code', executionState: 'idle', executionCount: null },
  stateChanged: new Signal({}),
  sharedModel: { getSource: () => source }
});
const settle = (): Promise<void> => new Promise(resolve => setTimeout(resolve));

beforeEach(async () => {
  put.length = 0;
  [kept, asked, dropped, isAway, hasRun] = [[], [], [], false, false];
  cells = [cell('a', SOURCE), cell('b', 'b')];
  statusChanged = new Signal({});
  panel = {
    isDisposed: false,
    sessionContext: { ready: Promise.resolve(), session: { kernel: { status: 'idle' } }, statusChanged },
    context: {
      ...{ path: 'x/a.ipynb', isReady: true, ready: Promise.resolve(), contentsModel: { writable: true } },
      model: { readOnly: false, cells: { length: 2, get: (at: number) => cells[at] } }
    }
  } as unknown as NotebookPanel;
  const panels: NotebookPanel[] = [];
  opened = new Signal({});
  const notebooks = {
    forEach: (what: (one: NotebookPanel) => void) => panels.forEach(what),
    find: (is: (one: NotebookPanel) => boolean) => panels.find(is),
    widgetAdded: opened
  };
  keptOutputs = new KeptOutputs({
    notebooks: notebooks as never,
    documents: { pathOf: ({ path }) => path },
    runs: { hasRun: () => hasRun, letGo: () => Promise.resolve() },
    routes: {
      keptOutputs: path => {
        asked.push(path);
        return isAway ? Promise.reject(new Error('away')) : Promise.resolve(kept);
      },
      dropOutputs: (message, call) => {
        dropped.push(`${message === uuid(2)} ${call}`);
        return Promise.resolve();
      }
    }
  });
  panels.push(panel);
  opened.emit(panel);
  await settle();
  asked.length = 0;
});

const look = (): Promise<void> => keptOutputs.look(panel);

describe('what is kept for a notebook', () => {
  it('is put into its cell, the oldest first, and forgotten', async () => {
    kept = [{ ...run, call_id: 'c2', outputs: ['two'], ended_at: '2026-01-01T00:00:02Z' }, run];
    await look();
    expect(put).toEqual([['a', ['one'], 4], ['a', ['two'], 4]]);
    expect([asked, dropped]).toEqual([['x/a.ipynb'], ['true c1', 'true c2']]);
  });

  it('is forgotten where the cell is another one by now, or none', async () => {
    kept = [{ ...run, source_digest: digest('c') }, { ...run, cell_id: 'x' }];
    await look();
    expect([put, dropped]).toEqual([[], ['true c1', 'true c1']]);
  });

  it('waits while its cell runs, and until it has', async () => {
    kept = [run];
    cells[0].executionState = 'running';
    await look();
    await look();
    expect([put, dropped]).toEqual([[], []]);
    // the person's run of it comes to its end
    [hasRun, cells[0].executionState, cells[0].executionCount] = [true, 'idle', 5];
    cells[0].stateChanged.emit({ name: 'executionState' });
    await settle();
    expect([put, dropped, asked.length]).toEqual([[], ['true c1'], 3]);
    cells[0].stateChanged.emit({ name: 'executionState' });
    await settle();
    expect(asked).toHaveLength(3);
  });

  it.each([
    ['a newer run in this page', 5, []],
    ['an older one', 3, [['a', ['one'], 4]]]
  ])('stands back for what the cell shows of %s', async (_, count, expected) => {
    kept = [run];
    [hasRun, cells[0].executionCount] = [true, count];
    await look();
    expect([put, dropped]).toEqual([expected, ['true c1']]);
  });

  it('is never put into a document that may only be read', async () => {
    kept = [run];
    (panel.context.contentsModel as { writable: boolean }).writable = false;
    await look();
    expect([put, asked]).toEqual([[], []]);
  });

  it('is asked for once at a time, and once more for who came meanwhile', async () => {
    kept = [run];
    await Promise.all([look(), look(), look()]);
    expect(asked).toHaveLength(2);
  });
});

describe('it is asked for', () => {
  const ended = { type: 'tool', message_id: uuid(2), call_id: 'c1', name: 'run_cell', touches: 'runs' } as const;

  it('as a notebook is opened', async () => {
    kept = [run];
    opened.emit(panel);
    await settle();
    expect(put).toHaveLength(1);
  });

  it('as a call ends that ran something, and as the connection is back', async () => {
    keptOutputs.receive({ ...ended, state: 'running' });
    keptOutputs.receive({ ...ended, state: 'still_running' });
    keptOutputs.receive({ ...ended, state: 'completed', touches: 'reads' });
    expect(asked).toEqual([]);
    keptOutputs.receive({ ...ended, state: 'interrupted' });
    await settle();
    isAway = true;
    keptOutputs.receive({ type: 'welcome' } as never);
    await settle();
    isAway = false;
    kept = [run];
    keptOutputs.receive({ type: 'welcome' } as never);
    await settle();
    expect([asked.length, put.length]).toEqual([3, 1]);
  });

  it('as a kernel rests that was at work when its notebook was opened', async () => {
    vi.useFakeTimers();
    const { session } = panel.sessionContext as unknown as { session: { kernel: { status: string } } };
    session.kernel.status = 'busy';
    opened.emit(panel);
    await vi.advanceTimersByTimeAsync(0);
    kept = [run];
    session.kernel.status = 'idle';
    statusChanged.emit('idle');
    statusChanged.emit('idle');
    await vi.advanceTimersByTimeAsync(2000);
    vi.useRealTimers();
    expect([asked.length, put.length]).toEqual([2, 1]);
  });
});
