/** What every part of the panel has at hand. */
import { TranslationBundle } from '@jupyterlab/translation';
import { ReadonlyJSONObject } from '@lumino/coreutils';
import { createContext, useCallback, useContext, useSyncExternalStore } from 'react';

import { CodeActions } from '../text/codeTools';
import { ChatCommands } from '../chat/commands';
import { ChatController } from '../chat/controller';
import { Occasion } from '../chat/sending/gathering';
import { ChatHistory, HistoryState } from '../stores/history';
import { ModelChoice, ModelState } from '../stores/modelChoice';
import { Pictures, PictureState } from '../stores/pictures';
import { ShownChat } from '../chat/shownChat';
import { Render } from '../text/rendering';
import { InstructionRoutes } from '../stores/instructionRoutes';
import { SpendingRoutes } from '../stores/spendingRoutes';
import { Came, CallDetails } from '../stores/agent/toolRoutes';
import { Settings, StopChatSettings } from '../stores/settings';
import { Snapshot } from '../chat/state';
import { Attachment } from '../wire/protocol';

/** The menus of the panel's buttons. */
export type MenuName = 'chat' | 'row' | 'draft' | 'attach' | 'reply';

/** What attaches: what is dropped on the panel, and the cell that an example is about. */
export interface Attaching {
  /** Attach one thing, unless it is too much; tell the person then, and return whether it was. */
  attach(controller: ChatController, one: Attachment): boolean;
  /** Return the cell that has failed, of the notebook that was used last; null if none has. */
  failedCell(): Attachment | null;
  /** Attach files of the server. */
  attachPaths(controller: ChatController, paths: readonly string[]): Promise<void>;
  /** Attach files of the computer that the browser runs on. */
  attachFiles(controller: ChatController, files: readonly File[]): Promise<void>;
}

/** Where the person is, and what they can name. */
export interface PlaceTools {
  /** Say where that is; empty where nothing is open. */
  label: () => string;
  /** Call a listener when it may be somewhere else, or something was written there. */
  subscribe: (listener: () => void) => () => void;
  /** Return what a prompt would tell of it now; null where there is no room for it. */
  preview: (occasion: Pick<Occasion, 'draft' | 'limits'>) => Attachment | null;
  /** Return the notebook or file that is open, as its path on the server. */
  path: () => string | null;
  /** Return the paths of files that begin so, folders with a `/` behind them. */
  paths: (typed: string) => Promise<string[]>;
}

/** What a reply's tools did in documents. */
export interface AgentTools {
  /** Return what the calls of a reply were asked, and what they changed. */
  calls: (messageId: string) => Promise<readonly CallDetails[]>;
  /** Take back what a reply changed, or make it again. */
  move: (messageId: string, undone: boolean) => Promise<Came>;
  /** Go to a cell, or to a file where that is null; tell whether it is there. */
  show: (path: string, cellId: string | null) => Promise<boolean>;
  /** Return where a cell stands in an open notebook, from 0; -1 where nobody knows. */
  indexOf: (path: string, cellId: string) => number;
  /** Return what the code of an open notebook is written in; empty where nobody knows. */
  languageOf: (path: string) => string;
  /** The cells that ask the person something while a call runs them. */
  inputs: {
    readonly subscribe: (listener: () => void) => () => void;
    readonly asks: (cellId: string) => boolean;
    /** Go to where it asks. */
    readonly goTo: (cellId: string) => Promise<void>;
  };
  /**
   * Act on the kernel in which a call still runs; it is asked before all of it ends. Tell whether it
   * was done.
   */
  actOnKernel: (
    messageId: string,
    callId: string,
    action: 'interrupt' | 'restart',
    path: string,
    cellId: string
  ) => Promise<boolean>;
  /** Tell whether it was said what an agent may do. */
  isTold: () => boolean;
  noteTold: () => void;
}

export interface PanelTools {
  /** The chat that is shown. */
  controller: ChatController;
  /** Which chat this view shows; another one can be shown instead. */
  shownChat: ShownChat;
  history: ChatHistory;
  models: ModelChoice;
  /** What the person used today, and may use. */
  spending: SpendingRoutes;
  /** What models are told before a chat. */
  instructions: Pick<InstructionRoutes, 'next'>;
  trans: TranslationBundle;
  render: Render;
  code: CodeActions;
  attaching: Attaching;
  agent: AgentTools;
  place: PlaceTools;
  /** What can be run by a `/`. */
  commands: ChatCommands;
  /** The pictures that are shown. */
  pictures: Pictures;
  settings: StopChatSettings;
  /** Call once, at the next animation frame that is at least `ms` milliseconds away. */
  schedule: (what: () => void, ms: number) => void;
  /** Open one of the menus below a button, or above it where it is at the end of the page. */
  openMenu: (which: MenuName, button: HTMLElement, args?: ReadonlyJSONObject) => void;
  /** What the panel shows besides the messages. */
  view: PanelView;
}

/** What of the panel is open. */
export class PanelView {
  /** The list of chats is shown in the place of the messages. */
  get listOpen(): boolean {
    return this._open.list;
  }

  /** The title is being written. */
  get renaming(): boolean {
    return this._open.title;
  }

  showList(open: boolean): void {
    this._set({ list: open, title: false });
  }

  rename(open: boolean): void {
    this._set({ list: open ? false : this._open.list, title: open });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  readonly getSnapshot = (): object => this._open;

  private _set(open: { list: boolean; title: boolean }): void {
    this._open = open;
    [...this._listeners].forEach(listener => listener());
  }

  private _open = { list: false, title: false };
  private _listeners = new Set<() => void>();
}

export const PanelContext = createContext<PanelTools | null>(null);

export function useTools(): PanelTools {
  const tools = useContext(PanelContext);
  if (!tools) {
    throw new Error('used outside the panel');
  }
  return tools;
}

export function useSnapshot(): Snapshot {
  const { controller } = useTools();
  return useSyncExternalStore(controller.subscribe, controller.getSnapshot);
}

export function useSettings(): Settings {
  const { settings } = useTools();
  return useSyncExternalStore(settings.subscribe, settings.getSnapshot);
}

export function useHistory(): HistoryState {
  const { history } = useTools();
  return useSyncExternalStore(history.subscribe, history.getSnapshot);
}

export function useModels(): ModelState {
  const { models } = useTools();
  return useSyncExternalStore(models.subscribe, models.getSnapshot);
}

/** Show a picture: it is fetched, and let go of when it is shown no more. */
export function usePicture(digest: string): PictureState {
  const { pictures } = useTools();
  const subscribe = useCallback(
    (listener: () => void) => pictures.subscribe(digest, listener),
    [pictures, digest]
  );
  return useSyncExternalStore(subscribe, () => pictures.get(digest));
}

export function useView(): PanelView {
  const { view } = useTools();
  useSyncExternalStore(view.subscribe, view.getSnapshot);
  return view;
}

/** The panel that the person used last, where there are several. */
let used: HTMLElement | null = null;

/** Note the panel that the person uses. */
export function noteUsed(panel: HTMLElement): void {
  used = panel;
}

/** Put the caret into the input of the panel in use, also when it is only about to be shown. */
export function focusInput(): void {
  const panel = used?.isConnected ? used : document;
  const input = panel.querySelector<HTMLTextAreaElement>('.jp-StopChat-input');
  if (input?.offsetParent) {
    input.focus();
  } else {
    setTimeout(() => input?.focus());
  }
}
