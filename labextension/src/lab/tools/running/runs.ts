/** Runs cells for tools, as if their person had: nothing but the cell itself changes in the page. */
import { CodeCell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Kernel, KernelMessage } from '@jupyterlab/services';
import { JSONObject } from '@lumino/coreutils';

import { AskedInputs, withoutFocus } from './askedInputs';
import { flash } from '../flash';
import { PageFailure } from '../../../chat/tools/pageCalls';
import { Clock } from '../../../wire/clock';

/** A run of a cell, as it is asked for. */
export interface RunRequest {
  readonly cellId: string;
  /** What is to run, and nothing else. */
  readonly source: string;
  /** The kernel knows the run by it. */
  readonly mark: string;
  readonly kernelId: string;
}

type Reply = KernelMessage.IExecuteReplyMsg | void;

/** JupyterLab's own part. */
export interface Execution {
  /** Send a cell's code, and show in the cell what comes of it. */
  execute(cell: CodeCell, context: NotebookPanel['sessionContext'], metadata: JSONObject): Promise<Reply>;
  /** Have all hear that a cell is about to run. */
  scheduled(panel: NotebookPanel, cell: CodeCell): void;
  /** Have all hear that one has; `reply` is null where the kernel gave none. */
  executed(panel: NotebookPanel, cell: CodeCell, reply: KernelMessage.IExecuteReplyMsg | null): void;
}

export interface RunsOptions {
  execution: Execution;
  notebooks: INotebookTracker | null;
  inputs: AskedInputs;
  clock: Clock;
}

type Future = Kernel.IShellFuture<KernelMessage.IExecuteRequestMsg, KernelMessage.IExecuteReplyMsg>;

interface Run {
  readonly future: Future;
  readonly kernel: Pick<Kernel.IKernelConnection, 'requestKernelInfo'> | undefined;
  /** Whether it came to its end here. */
  readonly done: Promise<boolean>;
  isOver: boolean;
}

/** So long a kernel may take to be connected with this page, in milliseconds. */
export const TO_CONNECT = 5000;
/** So long an end that the server has seen may take to come to this page. */
export const TO_END = 1500;
/** So many runs are remembered whose end nobody asked for. */
const MOST_RUNS = 50;

export class Runs {
  constructor(private _options: RunsOptions) {}

  /**
   * Run a cell that is as expected, and return at once by which message.
   *
   * @param begin is called in the step in which it is sent, and throws where it must not be.
   * @throws PageFailure where the cell or its kernel is another one by now.
   */
  async run(panel: NotebookPanel, asked: RunRequest, begin: () => void): Promise<{ msg_id: string }> {
    find(panel, asked);
    await this._connected(panel);
    const cell = find(panel, asked);
    const { deletedCells } = panel.context.model;
    const tags = cell.model.getMetadata('tags') as unknown;
    const metadata = {
      deletedCells,
      recordTiming: panel.content.notebookConfig.recordTiming,
      stop_chat: asked.mark,
      // an error of it must not abort what the person has queued behind
      tags: [...(Array.isArray(tags) ? (tags as string[]) : []), 'raises-exception']
    };
    const before = cell.outputArea.future as Future | null;
    begin();
    this._options.execution.scheduled(panel, cell);
    const sent = this._options.execution.execute(cell, panel.sessionContext, metadata);
    const future = cell.outputArea.future;
    if (!future || future === before) {
      sent.catch(() => undefined);
      cell.model.executionState = 'idle';
      throw new PageFailure('changed_kernel');
    }
    this._remember(asked.mark, future, panel);
    this._watchInput(panel, asked.cellId, future);
    void this._follow(panel, cell, sent, deletedCells);
    if (this._options.notebooks) {
      flash(this._options.notebooks, panel.context, asked.cellId);
    }
    return { msg_id: future.msg.header.msg_id };
  }

  /**
   * End a run that the server saw ending; `put`: the cell holds all that came of it.
   *
   * @throws PageFailure where the cell is gone.
   */
  async end(panel: NotebookPanel, cellId: string, mark: string): Promise<{ put: boolean }> {
    const run = this._runs.get(mark);
    if (!run) {
      return { put: false };
    }
    const isDone = await Promise.race([run.done, this._pass(TO_END)]);
    this._runs.delete(mark);
    if (!isDone) {
      run.future.dispose(); // else the cell would seem to run for ever
    }
    const { cells } = panel.context.model.sharedModel;
    if (!cells.some(one => one.getId() === cellId)) {
      throw new PageFailure('gone'); // nothing needs to be kept for it
    }
    const isThere = futureOf(panel, cellId) === run.future;
    if (isDone && isThere) {
      this._whole.add(run.future);
    }
    return { put: isDone && isThere };
  }

  /**
   * Tell whether a cell was run in this page, and shows that: by its person, or by a tool's run
   * that came to its end.
   */
  hasRun(panel: NotebookPanel, cellId: string): boolean {
    const future = futureOf(panel, cellId);
    return future !== null && (!this._own.has(future) || this._whole.has(future));
  }

  /** Tell whether a tool's run goes on in a cell, in the kernel that its notebook has now. */
  isRunning(panel: NotebookPanel, cellId: string): boolean {
    const [future, kernel] = [futureOf(panel, cellId), panel.sessionContext.session?.kernel];
    return this._open().some(one => one.future === future && one.kernel === kernel);
  }

  /**
   * A call has ended that ran something: let go of what its kernel knows nothing of any more, such as
   * one that was started anew. Nothing else would end it here.
   *
   * A kernel that answers has done all that was sent before; that it seems idle says nothing, as it
   * does so behind each interrupt.
   */
  async letGo(): Promise<void> {
    const kernels = new Set(this._open().map(one => one.kernel));
    await Promise.all([...kernels].map(kernel => this._letGoIn(kernel)));
  }

  private async _letGoIn(kernel: Run['kernel']): Promise<void> {
    if (!kernel || this._asked.has(kernel)) {
      return;
    }
    this._asked.add(kernel);
    const before = this._open().filter(one => one.kernel === kernel);
    try {
      await kernel.requestKernelInfo();
      await this._pass(TO_END); // what it told before may still be on its way
      before.filter(one => !one.isOver).forEach(one => one.future.dispose());
    } catch {
      // it is gone, and what ran there with it
    } finally {
      this._asked.delete(kernel);
    }
  }

  private _open(): Run[] {
    return [...this._runs.values()].filter(one => !one.isOver);
  }

  private _remember(mark: string, future: Future, panel: NotebookPanel): void {
    const kernel = panel.sessionContext.session?.kernel ?? undefined;
    const end = (isDone: boolean): boolean => {
      run.isOver = true;
      return isDone;
    };
    const done = future.done.then(
      () => end(true),
      () => end(false)
    );
    const run: Run = { future, kernel, done, isOver: false };
    this._own.add(future);
    this._runs.set(mark, run);
    for (const [oldest] of this._runs) {
      if (this._runs.size > MOST_RUNS) {
        this._runs.delete(oldest);
      }
    }
  }

  /** Hear it when the cell asks its person something, which JupyterLab shows in it. */
  private _watchInput(panel: NotebookPanel, cellId: string, future: Future): void {
    const { inputs } = this._options;
    const kernel = panel.sessionContext.session?.kernel;
    const { onStdin } = future;
    const answered = (_: unknown, asks: boolean): void => {
      if (!asks) {
        inputs.note(cellId, panel, false);
      }
    };
    future.onStdin = message => {
      let asked: PromiseLike<void> | void = undefined;
      withoutFocus(panel, () => {
        asked = onStdin(message);
      });
      inputs.note(cellId, panel, true);
      return asked;
    };
    kernel?.pendingInput.connect(answered);
    const end = (): void => {
      kernel?.pendingInput.disconnect(answered);
      inputs.note(cellId, panel, false);
    };
    future.done.then(end, end);
  }

  private async _follow(
    panel: NotebookPanel,
    cell: CodeCell,
    sent: Promise<Reply>,
    deletedCells: string[]
  ): Promise<void> {
    let reply: KernelMessage.IExecuteReplyMsg | null = null;
    const { model } = cell;
    try {
      reply = (await sent) ?? null;
      deletedCells.splice(0, deletedCells.length); // the kernel knows of them now
    } catch {
      // it was disposed, or its kernel ended: the server tells the tool
      if (cell.isDisposed && !model.isDisposed) {
        model.executionState = 'idle'; // another view shows it: else it would seem to run for ever
      }
    }
    if (!cell.isDisposed && !panel.isDisposed) {
      this._options.execution.executed(panel, cell, reply);
    }
  }

  /** Wait until what is sent to the kernel leaves this page at once. */
  private async _connected({ sessionContext }: NotebookPanel): Promise<void> {
    const kernel = sessionContext.session?.kernel;
    if (!kernel) {
      return;
    }
    let tell = (): void => undefined;
    const connected = new Promise<true>(resolve => {
      tell = () => kernel.connectionStatus === 'connected' && resolve(true);
      kernel.connectionStatusChanged.connect(tell);
      tell();
    });
    const known = Promise.all([connected, kernel.info]).then(
      () => true,
      () => false
    );
    const isReady = await Promise.race([known, this._pass(TO_CONNECT)]);
    kernel.connectionStatusChanged.disconnect(tell);
    if (!isReady) {
      throw new PageFailure('changed_kernel');
    }
  }

  private _pass(ms: number): Promise<false> {
    return new Promise(resolve => this._options.clock.after(ms, () => resolve(false)));
  }

  private _runs = new Map<string, Run>();
  private _own = new WeakSet<object>();
  /** Kernels that are asked whether they are done with what was sent. */
  private _asked = new WeakSet<object>();
  /** Those of them whose outputs are all in their cells. */
  private _whole = new WeakSet<object>();
}

/** Where a kernel will not do what it is sent, or not soon. */
const AWAY: readonly Kernel.Status[] = ['dead', 'terminating', 'restarting', 'autorestarting'];

/** @throws PageFailure where a cell or its kernel is not as expected. */
function find(panel: NotebookPanel, { cellId, source, kernelId }: RunRequest): CodeCell {
  const cell = panel.content.widgets.find(one => one.model.id === cellId);
  if (!cell) {
    throw new PageFailure('gone');
  }
  const now = cell.model.sharedModel.getSource();
  if (now !== source || cell.model.type !== 'code') {
    throw new PageFailure('changed', { source: now });
  }
  if (!now.trim()) {
    throw new PageFailure('bad_request'); // nothing would be sent
  }
  const kernel = panel.sessionContext.session?.kernel;
  if (kernel?.id !== kernelId || AWAY.includes(kernel.status)) {
    throw new PageFailure('changed_kernel');
  }
  const { model } = cell as CodeCell;
  if (model.executionState === 'running') {
    throw new PageFailure('busy'); // the person's run of it would lose its outputs
  }
  return cell as CodeCell;
}

/** Return what shows its outputs in a cell; null where it was not run in this view. */
function futureOf(panel: NotebookPanel, cellId: string): Future | null {
  const cell = panel.content.widgets.find(one => one.model.id === cellId);
  const isCode = cell?.model.type === 'code';
  return isCode ? ((cell as CodeCell).outputArea.future) ?? null : null;
}
