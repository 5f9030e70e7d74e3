/** What a press of Stop does: it picks its target, freezes the text at once, and sends the stop. */
import { Clock } from '../../wire/clock';
import { isWhole, MessageView } from '../messages';
import { isTerminal } from '../../wire/guards';
import * as prompts from '../prompt';
import { Stop, StopResult, StopResults } from '../../wire/protocol';
import * as replies from '../replies';
import * as selectors from '../selectors';
import { Sending } from '../sending/sending';
import { ChatSocket } from '../../wire/socket';
import { ChatState } from '../state';
import { StopDelivery } from './delivery';

export interface StopPressOptions {
  clock: Clock;
  makeId: () => string;
  /** Wait until all of a message is here. */
  whole: (messageId: string) => Promise<MessageView | null>;
  /** Whether the turn leaves the chat as well. */
  discard: () => boolean;
  /** Whether the prompt comes back into the input. */
  restores: () => boolean;
  words: { notConnected: string; noAnswer: string; notReached: string };
}

export class StopPress {
  constructor(
    private _state: ChatState,
    private _socket: ChatSocket,
    private _sending: Sending,
    private _options: StopPressOptions
  ) {}

  /** Register how much of a message one view has on the screen; return a function that ends it. */
  reportShown(messageId: string, shown: () => number): () => void {
    const views = this._shown.get(messageId) ?? new Set();
    this._shown.set(messageId, views.add(shown));
    return () => {
      views.delete(shown);
      if (views.size === 0 && this._shown.get(messageId) === views) {
        this._shown.delete(messageId);
      }
    };
  }

  /** Note that a partial reply is being continued: Stop does not give its prompt back. */
  noteContinued(messageId: string): void {
    this._continued.add(messageId);
  }

  /**
   * Stop the reply that is being made; return whether there was one.
   *
   * @param restores whether its prompt comes back; by default as it is set.
   */
  stop({ restores = this._options.restores() || this._options.discard() } = {}): boolean {
    const aim = selectors.target(this._state.now.chat);
    if (aim && !aim.stopping) {
      this._stop(aim, restores);
    }
    return aim !== null;
  }

  /** Note that the words of a request are kept elsewhere: they do not come back into the input. */
  noteElsewhere(requestId: string): void {
    this._elsewhere.add(requestId);
  }

  /** Stop what one request asked for, wherever it is by now; its words do not come back. */
  stopRequest(requestId: string): boolean {
    const { messages, pending } = this._state.now.chat;
    const reply = messages.find(
      view => view.role === 'assistant' && view.info.request_id === requestId
    );
    const asked = pending.find(one => one.requestId === requestId);
    if (reply ? isTerminal(reply.info.state) : !asked) {
      return false;
    }
    const stopping = reply ? reply.frozen || reply.info.state === 'stopping' : asked?.stopping;
    if (!stopping) {
      const aim = reply ? { messageId: reply.id } : { requestId };
      this._stop({ ...aim, shown: reply?.text.length ?? 0, stopping: false }, false);
    }
    return true;
  }

  /** Stop all of this person's replies, in every chat. */
  stopAll(): void {
    this.stop();
    const onFailed = (): void =>
      this._state.notice('cannot_stop', this._options.words.notConnected);
    // sent again, it must not stop what is asked for meanwhile
    const frame = { type: 'stop', all: true, press: this._options.makeId() } as const;
    this._deliveries.set('all', this._deliver('all', frame, onFailed, true));
  }

  /** Receive the answer to a stop: what it did not reach goes on, and says so. */
  receive(frame: StopResults): void {
    this.answered(frame.message_id ?? frame.request_id ?? (frame.all ? 'all' : ''));
    for (const result of frame.results.filter(replies.goesOn)) {
      this._leave(result, frame.request_id);
    }
  }

  /** A reply has ended: where its stop had been left for another server, its prompt comes back. */
  ended(reply: MessageView): void {
    const key = this._left.get(reply.id);
    this._left.delete(reply.id);
    if (key !== undefined && reply.info.state !== 'completed') {
      this._state.set({ prompt: this._givenBack({ messageId: reply.id }, key) });
    }
  }

  /** A stop was answered, or what it aimed at has ended. */
  answered(id: string): void {
    this._deliveries.get(id)?.answered();
    this._deliveries.delete(id);
  }

  /** Tell whether a stop of a message, of a request or of all is on its way. */
  readonly stops = (id: string): boolean => this._deliveries.has(id);

  /** Try again now: the connection is back. */
  tryNow(): void {
    this._deliveries.forEach(one => one.tryNow());
  }

  dispose(): void {
    this._deliveries.forEach(one => one.answered());
    this._deliveries.clear();
    this._left.clear();
  }

  private _stop(aim: selectors.Target, restores: boolean): void {
    const { chat } = this._state.now;
    const message = chat.messages.find(view => view.id === aim.messageId);
    const key = aim.requestId ?? message?.info.request_id ?? aim.messageId ?? '';
    const views = (message && this._shown.get(message.id)) ?? [];
    // with several views, the person has seen what the furthest one shows
    const seen = [...views].map(view => view());
    const shown = Math.min(aim.shown, seen.length > 0 ? Math.max(...seen) : aim.shown);
    const withdraws = aim.requestId !== undefined && this._sending.withdraw(aim.requestId);
    // a prompt that never left the page is nowhere else, so it always comes back
    const prompt =
      restores || withdraws
        ? this._givenBack(aim, key)
        : prompts.guard(this._state.now.prompt, this._options.clock.now());
    if (aim.requestId && withdraws) {
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
    this._left.delete(id);
    const onFailed = (reached: boolean): void => {
      const { noAnswer, notConnected } = this._options.words;
      this._goOn(goal, key, reached ? noAnswer : notConnected);
    };
    const asksAnother = message?.info.made_elsewhere;
    this._deliveries.set(id, this._deliver(id, frame, onFailed, asksAnother));
  }

  /** Let go on what another server makes that did not answer; the stop is left for it. */
  private _leave({ message_id }: StopResult, requestId: string | undefined): void {
    const { messages, pending } = this._state.now.chat;
    const message = messages.find(view => view.id === message_id);
    const asked = pending.find(one => one.requestId === requestId);
    if (!message?.frozen && !asked?.stopping) {
      return; // it was not stopped here, or goes on already
    }
    const key = requestId ?? message?.info.request_id ?? message_id ?? '';
    const goal = { messageId: message?.id, requestId };
    if (this._goOn(goal, key, this._options.words.notReached) && message_id) {
      this._left.set(message_id, key);
    }
  }

  /** Let a reply go on that could not be stopped; tell whether its prompt left the input again. */
  private _goOn(
    goal: { messageId?: string; requestId?: string },
    key: string,
    why: string
  ): boolean {
    const now = this._state.now;
    const prompt = prompts.withdraw(now.prompt, key);
    this._state.set({ chat: replies.reduce(now.chat, { type: 'stop_failed', ...goal, why }), prompt });
    return prompt !== now.prompt;
  }

  /** Return the prompt after the press, with what was asked back in the input. */
  private _givenBack(
    aim: Pick<selectors.Target, 'messageId' | 'requestId'>,
    key: string
  ): prompts.PromptState {
    const { chat, prompt } = this._state.now;
    const next = prompts.guard(prompt, this._options.clock.now());
    if (this._elsewhere.has(key)) {
      return next;
    }
    const pending = chat.pending.find(one => one.requestId === aim.requestId);
    if (pending && (pending.body || pending.attachments.length > 0)) {
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
    if (!isWhole(asked)) {
      void this._giveBackLater(message.id, asked.id, key);
      return next;
    }
    return prompts.giveBack(next, key, promptOf(asked));
  }

  /** Give a prompt back once it is here, unless it was answered after all. */
  private async _giveBackLater(replyId: string, promptId: string, key: string): Promise<void> {
    const asked = await this._options.whole(promptId);
    const { chat, prompt } = this._state.now;
    const reply = chat.messages.find(view => view.id === replyId);
    const state = reply?.info.state;
    // how ever it ended: only what Stop did not reach, or was answered, needs no prompt
    const needsIt = reply?.frozen || state === 'interrupted' || state === 'failed';
    if (asked && needsIt) {
      this._state.set({ prompt: prompts.giveBack(prompt, key, promptOf(asked)) });
    }
  }

  private _deliver(
    id: string,
    frame: Stop,
    onFailed: (reached: boolean) => void,
    asksAnother = false
  ): StopDelivery {
    this._deliveries.get(id)?.answered();
    return new StopDelivery(frame, {
      clock: this._options.clock,
      send: stop => this._socket.send(stop),
      onSilent: () => this._socket.renew(),
      asksAnother,
      onFailed: reached => {
        this._deliveries.delete(id);
        onFailed(reached);
      }
    });
  }

  private _deliveries = new Map<string, StopDelivery>();
  /** How much of each message is on the screen, in each view. */
  private _shown = new Map<string, Set<() => number>>();
  private _continued = new Set<string>();
  /** The requests whose words are kept elsewhere. */
  private _elsewhere = new Set<string>();
  /** What goes on until its server finds the stop, with the keys of the prompts that it took back. */
  private _left = new Map<string, string>();
}

/** Return what was asked, as it can be asked again. */
function promptOf(view: MessageView): prompts.Prompt {
  return { text: view.text, attachments: view.info.attachments ?? [] };
}
