/**
 * Puts into open notebooks what their cells showed while no page had them open, and has the server
 * forget it then.
 */
import { CodeCellModel } from '@jupyterlab/cells';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { sha256 } from '@noble/hashes/sha256';
import { bytesToHex } from '@noble/hashes/utils';

import { putOutputs } from './putting';
import { Runs } from './runs';
import { OpenDocuments } from '../openDocuments';
import { KeptRun, ToolRoutes } from '../../../stores/agent/toolRoutes';
import { ServerFrame, ToolCall } from '../../../wire/protocol';

export interface KeptOutputsOptions {
  notebooks: INotebookTracker | null;
  documents: Pick<OpenDocuments, 'pathOf'>;
  routes: Pick<ToolRoutes, 'keptOutputs' | 'dropOutputs'>;
  runs: Pick<Runs, 'hasRun' | 'letGo'>;
}

/** A call that has not ended may still show something. */
const GOES_ON: readonly ToolCall['state'][] = ['asked', 'waiting', 'running', 'still_running'];

export class KeptOutputs {
  constructor(private _options: KeptOutputsOptions) {
    _options.notebooks?.forEach(panel => this._watch(panel));
    _options.notebooks?.widgetAdded.connect((_, panel) => this._watch(panel));
  }

  /** Receive a frame: something may have run to its end, or did while there was no connection. */
  receive(frame: ServerFrame): void {
    const hasRun = frame.type === 'tool' && frame.touches === 'runs' && !GOES_ON.includes(frame.state);
    if (hasRun) {
      void this._options.runs.letGo();
    }
    if (hasRun || frame.type === 'welcome') {
      this._options.notebooks?.forEach(panel => void this.look(panel));
    }
  }

  /** Ask once the server has had the time to keep what a kernel has just shown. */
  lookSoon(panel: NotebookPanel): void {
    setTimeout(() => panel.isDisposed || void this.look(panel), SOON);
  }

  /** Ask what is kept for a notebook, and put it there; what fails is tried again later. */
  async look(panel: NotebookPanel): Promise<void> {
    const { context } = panel;
    if (this._looking.has(context)) {
      this._again.add(context);
      return;
    }
    this._looking.add(context);
    try {
      await this._look(panel);
    } catch {
      // there is no connection; the next one asks
    } finally {
      this._looking.delete(context);
    }
    if (this._again.delete(context)) {
      await this.look(panel);
    }
  }

  private async _look(panel: NotebookPanel): Promise<void> {
    const path = this._options.documents.pathOf(panel.context);
    if (path === null || !panel.context.isReady || panel.isDisposed || isReadOnly(panel)) {
      return;
    }
    const kept = await this._options.routes.keptOutputs(path);
    const inOrder = [...kept].sort((one, other) => (one.ended_at < other.ended_at ? -1 : 1));
    for (const run of inOrder) {
      if (panel.isDisposed || isReadOnly(panel)) {
        return;
      }
      if (this._put(panel, run)) {
        await this._options.routes.dropOutputs(run.message_id, run.call_id);
      }
    }
  }

  /** Put a run's outputs into its cell, where they belong; tell whether they are needed no more. */
  private _put(panel: NotebookPanel, run: KeptRun): boolean {
    const cell = cellOf(panel, run.cell_id);
    if (!cell || digestOf(cell.sharedModel.getSource()) !== run.source_digest) {
      return true;
    }
    if (cell.executionState === 'running') {
      this._lookBehind(panel, cell);
      return false;
    }
    const isOlder = (run.execution_count ?? 0) <= (cell.executionCount ?? 0);
    if (isOlder && this._hasRunHere(panel, run.cell_id)) {
      return true;
    }
    putOutputs(panel, cell, run);
    return true;
  }

  /**
   * Look once more when a cell has run to its end. Else what it shows then would have to give way to
   * what is older, where its notebook is closed and opened again.
   */
  private _lookBehind(panel: NotebookPanel, cell: CodeCellModel): void {
    if (this._running.has(cell)) {
      return;
    }
    this._running.add(cell);
    const look = (): void => {
      if (cell.executionState !== 'running') {
        cell.stateChanged.disconnect(look);
        this._running.delete(cell);
        void this.look(panel);
      }
    };
    cell.stateChanged.connect(look);
  }

  /** Tell whether a cell shows what it did in this page, in any view of its notebook. */
  private _hasRunHere({ context }: NotebookPanel, cellId: string): boolean {
    const { notebooks, runs } = this._options;
    return (
      notebooks?.find(one => one.context === context && runs.hasRun(one, cellId)) !== undefined
    );
  }

  private _watch(panel: NotebookPanel): void {
    void panel.context.ready.then(
      () => this.look(panel),
      () => undefined
    );
    void panel.sessionContext.ready.then(() => this._watchKernel(panel));
  }

  /** A kernel that is at work as its notebook is opened may run a cell of it: look at its end. */
  private _watchKernel(panel: NotebookPanel): void {
    const { sessionContext } = panel;
    if (sessionContext.session?.kernel?.status !== 'busy') {
      return;
    }
    const look = (): void => {
      if (sessionContext.session?.kernel?.status !== 'busy') {
        sessionContext.statusChanged.disconnect(look);
        this.lookSoon(panel); // the server hears it at the same time, and keeps the outputs then
      }
    };
    sessionContext.statusChanged.connect(look);
  }

  private _looking = new Set<object>();
  private _again = new Set<object>();
  /** Cells that run, and are looked at behind that. */
  private _running = new WeakSet<object>();
}

/** So long that may take, in milliseconds. */
const SOON = 1000;

const digestOf = (source: string): string => bytesToHex(sha256(new TextEncoder().encode(source)));

const isReadOnly = ({ context }: NotebookPanel): boolean =>
  context.model.readOnly || context.contentsModel?.writable === false;

function cellOf({ context }: NotebookPanel, id: string): CodeCellModel | null {
  const { cells } = context.model;
  for (let at = 0; at < cells.length; at += 1) {
    if (cells.get(at).id === id) {
      return cells.get(at).type === 'code' ? (cells.get(at) as CodeCellModel) : null;
    }
  }
  return null;
}
