/** The press of Stop: what it aims at, what it does to the page at once, and who is told. */
import { Clock } from './clock';
import * as prompts from './prompt';
import { Stop } from './protocol';
import * as replies from './replies';
import { Sending } from './sending';
import { ChatSocket } from './socket';
import { ChatState } from './state';
import { StopCall } from './stopping';

export interface HaltingOptions {
  clock: Clock;
  /** Take the turn out of the chat as well. */
  discard: () => boolean;
  words: { notConnected: string; noAnswer: string };
}

export class Halting {
  constructor(
    private _state: ChatState,
    private _socket: ChatSocket,
    private _sending: Sending,
    private _options: HaltingOptions
  ) {}

  /** Tell how much of a message is on the screen; null takes it back. */
  reportShown(messageId: string, shown: (() => number) | null): void {
    if (shown) {
      this._shown.set(messageId, shown);
    } else {
      this._shown.delete(messageId);
    }
  }

  /** Note that a partial reply is gone on from: its prompt is not what Stop gives back. */
  noteContinued(messageId: string): void {
    this._continued.add(messageId);
  }

  /** Stop the reply that is being made; tell whether there was one. */
  stop(): boolean {
    const aim = replies.target(this._state.now.chat);
    if (aim && !aim.stopping) {
      this._stop(aim);
    }
    return aim !== null;
  }

  /** Stop all of this person's replies, in every chat. */
  stopAll(): void {
    this.stop();
    const call = this._call('all', { type: 'stop', all: true }, () =>
      this._state.notice('cannot_stop', this._options.words.notConnected)
    );
    this._calls.set('all', call);
  }

  /** A stop was answered, or what it aimed at has ended. */
  answered(id: string): void {
    this._calls.get(id)?.answered();
    this._calls.delete(id);
  }

  /** Try again now: the connection is back. */
  tryNow(): void {
    this._calls.forEach(call => call.tryNow());
  }

  dispose(): void {
    this._calls.forEach(call => call.answered());
    this._calls.clear();
  }

  private _stop(aim: replies.Target): void {
    const { chat } = this._state.now;
    const message = chat.messages.find(view => view.id === aim.messageId);
    const key = aim.requestId ?? message?.info.request_id ?? aim.messageId ?? '';
    const shown = message
      ? Math.min(aim.shown, this._shown.get(message.id)?.() ?? aim.shown)
      : aim.shown;
    const prompt = this._givenBack(aim, key);
    if (aim.requestId && this._sending.withdraw(aim.requestId)) {
      const withdrawn = { type: 'withdrawn' as const, requestId: aim.requestId };
      this._state.set({ prompt, chat: replies.reduce(chat, withdrawn) });
      this._sending.sendHeld();
      return;
    }
    const goal = aim.messageId ? { messageId: aim.messageId } : { requestId: aim.requestId };
    this._state.set({ prompt, chat: replies.reduce(chat, { type: 'stop', ...goal, shown }) });
    const frame: Stop = aim.messageId
      ? { type: 'stop', message_id: aim.messageId, shown }
      : { type: 'stop', request_id: aim.requestId, shown };
    if (this._options.discard()) {
      frame.discard = true;
    }
    const id = aim.messageId ?? aim.requestId ?? '';
    this._calls.set(
      id,
      this._call(id, frame, reached => {
        const { noAnswer, notConnected } = this._options.words;
        const why = reached ? noAnswer : notConnected;
        const now = this._state.now;
        this._state.set({
          chat: replies.reduce(now.chat, { type: 'stop_failed', ...goal, why }),
          prompt: prompts.takeBack(now.prompt, key)
        });
      })
    );
  }

  /** Return the prompt as it is after the press: what was asked comes back into the input. */
  private _givenBack(aim: replies.Target, key: string): prompts.PromptState {
    const { chat, prompt } = this._state.now;
    const next = prompts.guard(prompt, this._options.clock.now());
    const pending = chat.pending.find(one => one.requestId === aim.requestId);
    if (pending?.body) {
      const { body: text, attachments } = pending;
      return prompts.giveBack(next, key, { text, attachments });
    }
    const message = chat.messages.find(view => view.id === aim.messageId);
    if (!message || message.info.version_of || this._continued.has(message.id)) {
      return next;
    }
    const asked = chat.messages.find(view => view.id === message.info.reply_to);
    if (asked?.role !== 'user') {
      return next;
    }
    const attachments = asked.info.attachments ?? [];
    return prompts.giveBack(next, key, { text: asked.text, attachments });
  }

  private _call(id: string, frame: Stop, onFailed: (reached: boolean) => void): StopCall {
    this._calls.get(id)?.answered();
    return new StopCall(frame, {
      clock: this._options.clock,
      send: stop => this._socket.send(stop),
      onFailed: reached => {
        this._calls.delete(id);
        onFailed(reached);
      }
    });
  }

  private _calls = new Map<string, StopCall>();
  private _shown = new Map<string, () => number>();
  private _continued = new Set<string>();
}
