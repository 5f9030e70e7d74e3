/** What the panel shows, who hears of it, and when. */
import { Clock } from '../wire/clock';
import * as prompts from './prompt';
import { Mode } from './tools/mode';
import { Approve, Welcome } from '../wire/protocol';
import * as replies from './replies';
import * as selectors from './selectors';

/** Text that grows is told of at most once in so many milliseconds: it still flows. */
export const PACE = 50;

/** A file that is on its way to the server. */
export interface Upload {
  readonly key: number;
  readonly name: string;
  /** Break it off. */
  readonly giveUp: () => void;
}

/** All that the panel shows. */
export interface Snapshot {
  readonly chat: replies.ChatView;
  readonly prompt: prompts.PromptState;
  /** What will go with the draft once the server has it. */
  readonly uploads: readonly Upload[];
  /** The connection was lost, and is not back yet. */
  readonly lost: boolean;
  /** The server is there, and the chat is turned off on it. */
  readonly off: boolean;
  readonly welcome: Welcome | null;
  /** What the prompt names is being gathered; it is sent once that is there. */
  readonly gathering: boolean;
  /** In this chat, the person does not tell where they are. */
  readonly withoutPlace: boolean;
  /** Whether models of this chat may use tools, as it was chosen; null leaves it to the setting. */
  readonly mode: Mode | null;
  /** What was answered to tools that ask, and has not reached the server; by call. */
  readonly answers: Readonly<Record<string, Approve>>;
}

/** Return what the one button does now: Stop also ends a sending that waits. */
export function modeOf({ chat, gathering }: Snapshot): ReturnType<typeof selectors.buttonMode> {
  const mode = selectors.buttonMode(chat);
  return gathering && mode === 'send' ? 'stop' : mode;
}

export class ChatState {
  /**
   * @param nextFrame calls once, at the next animation frame that is at least so many
   *   milliseconds away: many deltas make one change.
   */
  constructor(
    private _clock: Clock,
    private _nextFrame: (what: () => void, ms: number) => void
  ) {}

  get now(): Snapshot {
    return this._state;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /**
   * Change what is shown.
   *
   * @param soon only text grew: tell of it soon, and not at once.
   */
  set(change: Partial<Snapshot>, soon = false): void {
    const mode = soon ? 'send' : modeOf(this._state);
    this._state = { ...this._state, ...change };
    if (mode !== 'send' && modeOf(this._state) === 'send') {
      const prompt = prompts.guard(this._state.prompt, this._clock.now());
      this._state = { ...this._state, prompt };
    }
    if (!soon) {
      this._tell();
    } else if (!this._due) {
      this._due = true;
      // the first words after a while wait for nothing
      const ms = Math.max(0, this._told + PACE - this._clock.now());
      this._nextFrame(() => {
        if (this._due) {
          this._tell();
        }
      }, ms);
    }
  }

  /** Change the chat by something that happened. */
  reduce(action: replies.Action): void {
    this.set({ chat: replies.reduce(this._state.chat, action) });
  }

  /** Tell the person something that belongs to no message. */
  notice(code: replies.Notice['code'], text: string, offer?: replies.Offer): void {
    this.set({ chat: { ...this._state.chat, notice: { code, text, offer } } });
  }

  dispose(): void {
    this._listeners.clear();
  }

  private _tell(): void {
    this._due = false;
    this._told = this._clock.now();
    [...this._listeners].forEach(listener => listener());
  }

  private _state: Snapshot = {
    chat: replies.emptyChat(),
    prompt: prompts.emptyPrompt,
    uploads: [],
    lost: false,
    off: false,
    welcome: null,
    gathering: false,
    withoutPlace: false,
    mode: null,
    answers: {}
  };
  private _listeners = new Set<() => void>();
  /** A change waits for the next animation frame to be told. */
  private _due = false;
  private _told = -Infinity;
}
