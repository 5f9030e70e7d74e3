// @vitest-environment jsdom
/** N1, N2, N5, N6, N9: a tool's run in the page: sent once, to the cell and kernel that were meant. */
import { CodeCell } from '@jupyterlab/cells';
import { NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { AskedInputs } from '../../../../src/lab/tools/running/askedInputs';
import { Execution, Runs, TO_CONNECT, TO_END } from '../../../../src/lab/tools/running/runs';
import { NotWanted, PageFailure } from '../../../../src/chat/tools/pageCalls';
import { ScriptedClock } from '../../../support';

// JupyterLab's own, which needs a real browser
vi.mock('../../../../src/lab/code/notebooks', () => ({ focusCell: () => undefined }));

/** What JupyterLab does where a cell asks something. */
let showInput: () => void;

/** What shows the outputs of one run, and its end. */
class FakeFuture {
  onStdin: (message: unknown) => void = () => showInput();
  msg: { header: { msg_id: string } };
  end: () => void = () => undefined;
  dispose: () => void = () => undefined;
  done: Promise<void>;

  constructor(id: string) {
    this.msg = { header: { msg_id: id } };
    this.done = new Promise((resolve, reject) => {
      this.end = resolve;
      this.dispose = () => reject(new Error('Canceled'));
    });
    this.done.catch(() => undefined);
  }
}

interface FakeKernel {
  id: string;
  status: string;
  connectionStatus: string;
  info: Promise<void>;
  requestKernelInfo: () => Promise<void>;
  connectionStatusChanged: Signal<object, string>;
  pendingInput: Signal<object, boolean>;
}

let clock: ScriptedClock;
let kernel: FakeKernel;
let cell: CodeCell;
let panel: NotebookPanel;
let sent: Record<string, unknown>[];
let reply: (status: string) => void;
let told: string[];
let execution: Execution;
let inputs: AskedInputs;
let runs: Runs;
/** Nothing is sent, as by a kernel that has just died. */
let isDead: boolean;

const asked = { cellId: 'c', source: 'a = 1', mark: 'm', kernelId: 'k' };
const begin = (): void => undefined;

function newCell(source: string): CodeCell {
  const node = document.createElement('div');
  return {
    ...{ node, isDisposed: false, outputArea: { future: undefined } },
    model: {
      ...{ id: 'c', type: 'code', executionState: 'idle' },
      getMetadata: (name: string) => (name === 'tags' ? ['mine'] : undefined),
      sharedModel: { getSource: () => source }
    }
  } as unknown as CodeCell;
}

beforeEach(() => {
  clock = new ScriptedClock();
  const owner = {};
  kernel = {
    ...{ id: 'k', status: 'idle', connectionStatus: 'connected', info: Promise.resolve() },
    requestKernelInfo: () => Promise.resolve(),
    connectionStatusChanged: new Signal(owner),
    pendingInput: new Signal(owner)
  };
  cell = newCell('a = 1');
  [sent, told, isDead] = [[], [], false];
  execution = {
    execute: (one, _context, metadata) => {
      sent.push(metadata);
      if (isDead) {
        return Promise.reject(new Error('Kernel is dead'));
      }
      one.outputArea.future = new FakeFuture(`id ${sent.length}`) as never;
      return new Promise(resolve => (reply = status => resolve({ content: { status } } as never)));
    },
    scheduled: () => told.push('scheduled'),
    executed: (_panel, _cell, answer) => told.push(answer?.content.status ?? 'none')
  };
  const content = { widgets: [cell], notebookConfig: { recordTiming: true } };
  panel = {
    ...{ content, isDisposed: false, node: document.body.appendChild(document.createElement('div')) },
    context: { model: { deletedCells: ['gone'], sharedModel: { cells: [{ getId: () => 'c' }] } } },
    sessionContext: { session: { kernel } }
  } as unknown as NotebookPanel;
  inputs = new AskedInputs();
  runs = new Runs({ execution, notebooks: null, inputs, clock });
});

const future = (): FakeFuture => cell.outputArea.future as unknown as FakeFuture;
const why = (change: object = {}, mayBegin = begin): Promise<unknown> =>
  runs.run(panel, { ...asked, ...change }, mayBegin).then(
    () => 'sent',
    (error: PageFailure) => error.code ?? error.constructor.name
  );
const turn = (): Promise<void> => new Promise(resolve => setTimeout(resolve));

describe('a run', () => {
  it('is sent as JupyterLab would, with its mark, and is told of at once', async () => {
    expect(await runs.run(panel, asked, begin)).toEqual({ msg_id: 'id 1' });
    expect(sent).toEqual([
      {
        ...{ stop_chat: 'm', recordTiming: true, tags: ['mine', 'raises-exception'] },
        deletedCells: ['gone']
      }
    ]);
    expect(told).toEqual(['scheduled']);
    reply('ok');
    await turn();
    expect(told).toEqual(['scheduled', 'ok']);
    expect(panel.context.model.deletedCells).toEqual([]);
  });

  it('is of what was allowed, in the kernel that was meant, or of nothing (N8)', async () => {
    expect(await why({ cellId: 'x' })).toBe('gone');
    expect(await why({ kernelId: 'x' })).toBe('changed_kernel');
    const changed = runs.run(panel, { ...asked, source: 'a = 2' }, begin);
    await expect(changed).rejects.toMatchObject({ code: 'changed', result: { source: 'a = 1' } });
    kernel.status = 'restarting';
    expect(await why()).toBe('changed_kernel');
    kernel.status = 'idle';
    cell.model.executionState = 'running'; // the person was there first
    expect(await why()).toBe('busy');
    expect([sent, told]).toEqual([[], []]);
  });

  it('does not begin behind a stop (N9)', async () => {
    const stopped = (): void => {
      throw new NotWanted();
    };
    expect(await why({}, stopped)).toBe('NotWanted');
    expect([sent, told]).toEqual([[], []]);
  });

  it('waits for a kernel that is being connected, for a while, and looks at the cell once more', async () => {
    kernel.connectionStatus = 'connecting';
    const late = why();
    await turn();
    expect(sent).toEqual([]);
    clock.advance(TO_CONNECT);
    expect(await late).toBe('changed_kernel');
    const soon = why();
    await turn();
    kernel.connectionStatus = 'connected';
    kernel.connectionStatusChanged.emit('connected');
    panel.content.widgets[0].model.sharedModel.getSource = () => 'a = 3';
    expect(await soon).toBe('changed');
    expect(sent).toEqual([]);
  });

  it('leaves no cell that seems to run where its kernel takes nothing', async () => {
    isDead = true;
    expect(await why()).toBe('changed_kernel');
    expect(cell.model.executionState).toBe('idle');
  });
});

describe('the end of a run (N6)', () => {
  it('says that the outputs are in the cell once they all are', async () => {
    await runs.run(panel, asked, begin);
    expect(runs.hasRun(panel, 'c')).toBe(false);
    const ended = runs.end(panel, 'c', 'm');
    future().end();
    expect(await ended).toEqual({ put: true });
    expect(runs.hasRun(panel, 'c')).toBe(true);
    expect(await runs.end(panel, 'c', 'm')).toEqual({ put: false }); // it is told once
  });

  it('lets go of one that does not come to its end here', async () => {
    await runs.run(panel, asked, begin);
    const ended = runs.end(panel, 'c', 'm');
    clock.advance(TO_END);
    expect(await ended).toEqual({ put: false });
    await expect(future().done).rejects.toThrow('Canceled');
    expect(runs.hasRun(panel, 'c')).toBe(false);
  });

  it('says that they are not there where the cell went, or was run again', async () => {
    await runs.run(panel, asked, begin);
    const first = future();
    cell.outputArea.future = new FakeFuture('theirs') as never;
    first.end();
    expect(await runs.end(panel, 'c', 'm')).toEqual({ put: false });
    expect(runs.hasRun(panel, 'c')).toBe(true);
    await runs.run(panel, { ...asked, mark: 'n' }, begin);
    future().end();
    (panel.context.model.sharedModel as { cells: unknown }).cells = [];
    await expect(runs.end(panel, 'c', 'n')).rejects.toMatchObject({ code: 'gone' });
  });

  it('comes by itself where its kernel was started anew, and knows nothing of it', async () => {
    let answers: () => void = () => undefined;
    kernel.requestKernelInfo = () => new Promise(resolve => (answers = resolve));
    await runs.run(panel, asked, begin);
    const over = runs.letGo();
    let isDone = false;
    future().done.catch(() => (isDone = true));
    clock.advance(10 * TO_END);
    await turn();
    expect(isDone).toBe(false); // it is at work, though it seems idle behind an interrupt
    answers();
    await turn();
    expect(isDone).toBe(false); // its end may be on its way
    clock.advance(TO_END);
    await over;
    expect(isDone).toBe(true);
  });

  it('is left alone where it came meanwhile, or the kernel has gone', async () => {
    await runs.run(panel, asked, begin);
    const dispose = vi.spyOn(future(), 'dispose');
    const over = runs.letGo();
    future().end();
    await turn();
    clock.advance(TO_END);
    await over;
    expect(dispose).not.toHaveBeenCalled();
    await runs.run(panel, { ...asked, mark: 'n' }, begin);
    kernel.requestKernelInfo = () => Promise.reject(new Error('disposed'));
    await runs.letGo();
  });

  it('leaves no cell that seems to run where the view that ran it was closed, of two', async () => {
    let dispose = (_: Error): void => undefined;
    execution.execute = one => {
      one.outputArea.future = new FakeFuture('x') as never;
      one.model.executionState = 'running';
      return new Promise((_, reject) => (dispose = reject));
    };
    await runs.run(panel, asked, begin);
    const { model } = cell;
    Object.assign(cell, { isDisposed: true, model: null });
    dispose(new Error('Canceled'));
    await turn();
    expect([model.executionState, told]).toEqual(['idle', ['scheduled']]);
  });

  it('goes on in the kernel that it was sent to, and in no other that its notebook gets', async () => {
    expect(runs.isRunning(panel, 'c')).toBe(false);
    await runs.run(panel, asked, begin);
    expect(runs.isRunning(panel, 'c')).toBe(true);
    (panel.sessionContext.session as { kernel: unknown }).kernel = { ...kernel, id: 'another' };
    expect(runs.isRunning(panel, 'c')).toBe(false);
    (panel.sessionContext.session as { kernel: unknown }).kernel = kernel;
    future().end();
    await turn();
    expect(runs.isRunning(panel, 'c')).toBe(false);
  });

  it('knows nothing of another page’s', async () => {
    expect(await runs.end(panel, 'c', 'another')).toEqual({ put: false });
  });
});

describe('a cell that asks its person (N5)', () => {
  it('is known to ask until it is answered, and takes no focus from who is elsewhere', async () => {
    const elsewhere = document.body.appendChild(document.createElement('input'));
    const field = document.createElement('input');
    field.className = 'jp-Stdin-input';
    const heard = vi.fn();
    inputs.subscribe(heard);
    showInput = () => {
      panel.node.append(field);
      field.focus();
    };
    elsewhere.focus();
    await runs.run(panel, asked, begin);
    expect(inputs.asks('c')).toBe(false);
    future().onStdin({});
    expect(inputs.asks('c')).toBe(true);
    expect([field.isConnected, document.activeElement]).toEqual([true, elsewhere]);
    kernel.pendingInput.emit(false);
    expect([inputs.asks('c'), heard.mock.calls.length]).toEqual([false, 2]);
    future().onStdin({});
    future().end();
    await turn();
    expect(inputs.asks('c')).toBe(false);
  });

  it('takes none from who types in another cell, and has that of who has just answered', async () => {
    const [editor, first, second] = ['textarea', 'input', 'input'].map(name =>
      panel.node.appendChild(document.createElement(name))
    );
    [first, second].forEach(one => (one.className = 'jp-Stdin-input'));
    await runs.run(panel, asked, begin);
    showInput = () => first.focus();
    editor.focus();
    future().onStdin({});
    expect(document.activeElement).toBe(editor);
    first.dispatchEvent(new Event('pointerdown', { bubbles: true }));
    first.focus();
    showInput = () => second.focus();
    future().onStdin({});
    expect(document.activeElement).toBe(second);
  });
});
