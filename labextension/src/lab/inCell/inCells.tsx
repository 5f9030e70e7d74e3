/** The prompts that are open in cells: one a cell, in each view of its notebook. */
import { ReactWidget } from '@jupyterlab/apputils';
import { Cell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { aboutCell } from './aboutCell';
import { CellPromptBar } from './bar';
import { CellPrompt } from './cellPrompt';
import { NotebookChats } from './notebookChats';
import { promptWords } from './words';
import { NextModel } from '../attaching';
import { cellCode } from '../code/cellCode';
import { fitting } from '../code/fitting';
import { announce, refuse } from '../difference/announce';
import { ByCell } from '../difference/byCell';
import { CellHandle, OpenNotebook } from '../difference/cellHandle';
import { Difference } from '../difference/difference';
import { drawIn } from '../difference/drawIn';
import { InEachView } from '../difference/inEachView';
import { putAbove, reveal } from '../difference/place';
import { Cell as WrittenCell } from '../../chat/attachments';
import { ChatController } from '../../chat/controller';
import { contextName } from '../../chat/place/mentions';
import { AboutCells } from '../../stores/aboutCells';
import { KeptPrompt, NotebookMemory } from '../../stores/notebookMemory';
import { Attachment } from '../../wire/protocol';

export interface InCellsOptions {
  notebooks: INotebookTracker;
  trans: TranslationBundle;
  models: NextModel;
  chats: NotebookChats;
  memory: NotebookMemory;
  abouts: AboutCells;
  /** Show a chat. */
  openChat: (controller: ChatController) => void;
}

interface Opened {
  readonly prompt: CellPrompt;
  readonly views: InEachView;
  readonly end: () => void;
}

export class InCells {
  constructor(private _options: InCellsOptions) {
    const { notebooks } = _options;
    notebooks.forEach(panel => this._restore(panel));
    notebooks.widgetAdded.connect((_, panel) => this._restore(panel));
  }

  /** Return the prompt that is open in a cell. */
  of(notebook: OpenNotebook, id: string): CellPrompt | undefined {
    return this._open.get(notebook, id)?.prompt;
  }

  /** Tell whether a request was asked in a cell that still shows what became of it. */
  shows(requestId: string): boolean {
    return this._open.values().some(({ prompt }) => prompt.lastAsked === requestId);
  }

  /** Give up the prompts that wait to be sent: all is stopped. */
  giveUp(): void {
    this._open.values().forEach(({ prompt }) => prompt.giveUp());
  }

  /** Open the prompt of a cell, with the focus in it; one that is open already has it then. */
  open(panel: NotebookPanel, cell: Cell): void {
    const { id } = cell.model;
    if (cell.model.type !== 'code') {
      return;
    }
    if (this.of(panel.context, id)) {
      cell.node.querySelector<HTMLElement>('.jp-StopChat-cellPrompt')?.focus();
      return;
    }
    this._make(new CellHandle(panel.context, id), '', panel);
  }

  /** Accept what a prompt came to, all of it or the change that is looked at. */
  accept(id: string, panel: NotebookPanel, part: 'all' | 'current' = 'all'): void {
    const { trans } = this._options;
    const prompt = this.of(panel.context, id);
    const difference = prompt?.phase === 'deciding' ? prompt.difference : null;
    if (!difference) {
      return;
    }
    const done = part === 'all' ? difference.accept() : difference.acceptCurrent();
    if (!done) {
      refuse(trans.__('Not accepted: the cell cannot be changed now.'));
    } else if (difference.count === 0) {
      this._close(panel.context, id, true);
      announce(trans.__('The code is in the cell.'));
      void reveal(panel, id);
    }
  }

  /** Close the prompt of a cell; the cell is as it is. */
  close(id: string, panel: NotebookPanel): void {
    this._close(panel.context, id, true);
    void reveal(panel, id);
  }

  /** Bring the prompts back that were open in a notebook when it was closed, or the page loaded. */
  private _restore(panel: NotebookPanel): void {
    void panel.context.ready.then(() => {
      const { path, model } = panel.context;
      for (const kept of this._options.memory.promptsOf(path)) {
        const isThere = model.sharedModel.cells.some(cell => cell.getId() === kept.cell);
        if (isThere && !this.of(panel.context, kept.cell)) {
          this._bringBack(panel, kept);
        }
      }
    });
  }

  private _bringBack(panel: NotebookPanel, kept: KeptPrompt): void {
    const handle = new CellHandle(panel.context, kept.cell);
    const prompt = this._make(handle, kept.text, null);
    if (kept.request !== undefined && this._options.chats.has(kept.path)) {
      void prompt.resume(kept.request, kept.source ?? null);
    }
  }

  /** @param takesFocus the view whose field has the focus once it is there. */
  private _make(handle: CellHandle, text: string, takesFocus: NotebookPanel | null): CellPrompt {
    const { notebooks, trans, chats, abouts } = this._options;
    const { notebook, id } = handle;
    const prompt: CellPrompt = new CellPrompt(
      handle,
      {
        words: promptWords(trans),
        chat: () => chats.of(notebook),
        attachment: controller => this._attachment(controller, handle),
        codeOf: (code, language) => cellCode(code, language, languageOf(notebook)),
        onAsked: request =>
          abouts.note(request, { path: notebook.path, cell: id, source: prompt.base }),
        announce,
        stoppedHere: this._stoppedHere
      },
      text
    );
    const keep = (): void => this._keep(prompt);
    const endKeep = prompt.subscribe(keep);
    const endWatch = handle.subscribe(() => handle.isClosed && this._close(notebook, id, false));
    let { path } = notebook;
    const move = (): void => {
      this._options.memory.dropPrompt(path, id);
      path = notebook.path;
      keep();
    };
    notebook.pathChanged.connect(move);
    const views = new InEachView(notebooks, handle, (cell, panel) =>
      this._putIn(prompt, cell, panel, takesFocus === panel)
    );
    const end = (): void => {
      endKeep();
      endWatch();
      notebook.pathChanged.disconnect(move);
    };
    this._open.set(notebook, id, { prompt, views, end });
    return prompt;
  }

  private _putIn(
    prompt: CellPrompt,
    cell: Cell,
    panel: NotebookPanel,
    takesFocus: boolean
  ): () => void {
    const { trans, openChat } = this._options;
    const { id } = prompt.handle;
    const bar = ReactWidget.create(
      <CellPromptBar
        prompt={prompt}
        trans={trans}
        takesFocus={takesFocus}
        onAccept={() => this.accept(id, panel)}
        onAcceptCurrent={() => this.accept(id, panel, 'current')}
        onClose={() => this.close(id, panel)}
        onOpenChat={() => prompt.controller && openChat(prompt.controller)}
      />
    );
    bar.addClass('jp-StopChat-cellBar');
    putAbove(cell, bar);
    let drawn: Difference | null = null;
    let undraw = (): void => undefined;
    const draw = (): void => {
      if (prompt.difference !== drawn) {
        undraw();
        drawn = prompt.difference;
        undraw = drawn ? drawIn(cell, drawn) : () => undefined;
      }
    };
    const endDraw = prompt.subscribe(draw);
    draw();
    return () => {
      endDraw();
      undraw();
      bar.dispose();
    };
  }

  private _attachment(controller: ChatController, handle: CellHandle): Attachment {
    const { trans, models } = this._options;
    const { cells } = handle.notebook.model.sharedModel;
    const cell = (n: number): WrittenCell | undefined => cells[n]?.toJSON();
    const text = aboutCell(cell, handle.index, languageOf(handle.notebook));
    const file = handle.notebook.path.split('/').pop() ?? '';
    const about = trans.__('cell %1 of %2, and those around it', handle.index + 1, file);
    const name = contextName('@cell – ', about);
    const one: Attachment = { name, text, mime_type: 'text/markdown', kind: 'context' };
    return fitting(controller, models, one, trans.__('[The middle is left out.]'));
  }

  private _keep(prompt: CellPrompt): void {
    const { handle, text, requestId, base } = prompt;
    const { path } = handle.notebook;
    if (handle.isClosed) {
      return;
    }
    if (text.trim() === '') {
      this._options.memory.dropPrompt(path, handle.id);
      return;
    }
    const asked = requestId === null ? {} : { request: requestId, source: base };
    const kept = JSON.stringify({ path, cell: handle.id, text, ...asked });
    if (kept !== this._kept.get(handle.notebook, handle.id)) {
      this._kept.set(handle.notebook, handle.id, kept); // code comes many times a second, and changes none of it
      this._options.memory.keepPrompt({ path, cell: handle.id, text, ...asked });
    }
  }

  /** @param forgets it does not come back with the notebook. */
  private _close(notebook: OpenNotebook, id: string, forgets: boolean): void {
    const opened = this._open.get(notebook, id);
    if (!opened) {
      return;
    }
    this._open.delete(notebook, id);
    this._kept.delete(notebook, id);
    opened.end();
    opened.views.dispose();
    opened.prompt.dispose();
    if (forgets) {
      this._options.memory.dropPrompt(notebook.path, id);
    }
    opened.prompt.handle.dispose();
  }

  private _open = new ByCell<Opened>();
  private _kept = new ByCell<string>();
  private _stoppedHere = new Set<string>();
}

function languageOf({ model }: OpenNotebook): string {
  return model.defaultKernelLanguage || 'python';
}
