/** What the panel shows, who hears of it, and when. */
import { Clock } from '../wire/clock';
import * as prompts from './prompt';
import { Welcome } from '../wire/protocol';
import * as replies from './replies';
import * as selectors from './selectors';

/** Text that grows is told of at most once in so many milliseconds: it still flows. */
export const PACE = 50;

/** All that the panel shows. */
export interface Snapshot {
  readonly chat: replies.ChatView;
  readonly prompt: prompts.PromptState;
  /** The connection was lost, and is not back yet. */
  readonly lost: boolean;
  /** The server is there, and the chat is turned off on it. */
  readonly off: boolean;
  readonly welcome: Welcome | null;
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
    const mode = soon ? 'send' : selectors.buttonMode(this._state.chat);
    this._state = { ...this._state, ...change };
    if (mode !== 'send' && selectors.buttonMode(this._state.chat) === 'send') {
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
    lost: false,
    off: false,
    welcome: null
  };
  private _listeners = new Set<() => void>();
  /** A change waits for the next animation frame to be told. */
  private _due = false;
  private _told = -Infinity;
}
