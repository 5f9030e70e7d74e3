/**
 * The chat of a panel: it joins the socket, the replies and the prompt.
 *
 * It imports nothing of JupyterLab or React, so that each race is tested in milliseconds.
 */
import { Clock } from './clock';
import { isTerminal } from './guards';
import * as prompts from './prompt';
import { Attachment, Send, ServerFrame, Stop, Welcome } from './protocol';
import * as replies from './replies';
import { ChatSocket, SocketLike, SocketState } from './socket';
import { StopCall } from './stopping';

/** What the person has set. */
export interface ChatSettings {
  readonly onStop: 'keep' | 'discard';
  /** What a second prompt does; null leaves it to the server's setting. */
  readonly policy: 'queue' | 'interrupt' | 'reject' | null;
}

/** The sentences that are made on this side. */
export interface Words {
  readonly notConnected: string;
  readonly noAnswer: string;
  readonly promptTooLong: string;
}

export interface ControllerOptions {
  clock: Clock;
  connect: () => SocketLike;
  makeId: () => string;
  settings: () => ChatSettings;
  words: Words;
  /** Remember the current chat over a reload. */
  remember: (chatId: string | null) => void;
  /** Call once, at the next animation frame: many deltas make one change of the page. */
  nextFrame: (what: () => void) => void;
}

/** All that the panel shows. */
export interface Snapshot {
  readonly chat: replies.ChatView;
  readonly prompt: prompts.PromptState;
  /** The connection was lost, and is not back yet. */
  readonly lost: boolean;
  readonly welcome: Welcome | null;
}

export class ChatController {
  constructor(options: ControllerOptions) {
    this._options = options;
    this._socket = new ChatSocket({
      connect: options.connect,
      clock: options.clock,
      onFrame: frame => this._takeFrame(frame),
      onState: state => this._takeState(state),
      offsetsOf: () => replies.offsets(this._state.chat)
    });
  }

  readonly getSnapshot = (): Snapshot => this._state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** Connect, and show a chat again that was shown before a reload. */
  start(chatId: string | null): void {
    if (chatId) {
      this._set({ chat: replies.emptyChat(chatId) });
      this._socket.follow(chatId);
    }
    this._socket.connect();
  }

  dispose(): void {
    this._socket.close();
    this._calls.forEach(call => call.answered());
    this._calls.clear();
    this._listeners.clear();
  }

  /** Try to reconnect now. */
  reconnect(): void {
    this._socket.connect();
  }

  /** Tell how much of a message is on the screen; null takes it back. */
  reportShown(messageId: string, shown: (() => number) | null): void {
    if (shown) {
      this._shown.set(messageId, shown);
    } else {
      this._shown.delete(messageId);
    }
  }

  // --- the prompt ---------------------------------------------------------------------------

  edit(text: string): void {
    this._set({ prompt: prompts.edit(this._state.prompt, text) });
  }

  attach(attachments: readonly Attachment[]): void {
    this._set({ prompt: prompts.attach(this._state.prompt, attachments) });
  }

  swapChip(): void {
    this._set({ prompt: prompts.swapChip(this._state.prompt) });
  }

  dropChip(): void {
    this._set({ prompt: prompts.dropChip(this._state.prompt) });
  }

  /** Send the draft; tell whether there was something to send. */
  send(): boolean {
    if (!prompts.isSendable(this._state.prompt)) {
      return false;
    }
    const [prompt, taken] = prompts.take(this._state.prompt);
    const requestId = this._options.makeId();
    const frame: Send = {
      type: 'send',
      request_id: requestId,
      chat_id: this._state.chat.chatId,
      body: taken.text
    };
    const { policy } = this._options.settings();
    if (policy) {
      frame.policy = policy;
    }
    if (taken.attachments.length > 0) {
      frame.attachments = [...taken.attachments];
    }
    if (this._isTooLong(frame)) {
      const notice = { code: 'prompt_too_long' as const, text: this._options.words.promptTooLong };
      this._set({ chat: { ...this._state.chat, notice } });
      return false;
    }
    const waits = frame.chat_id === null && this._state.chat.pending.length > 0;
    this._set({
      prompt,
      chat: replies.reduce(this._state.chat, {
        type: 'request',
        requestId,
        kind: 'send',
        body: taken.text,
        attachments: taken.attachments
      })
    });
    if (waits) {
      this._held.push(frame); // a second new chat is not what is meant
    } else {
      this._socket.sendPrompt(frame);
    }
    return true;
  }

  /** Click on the one button: it sends, stops, or does nothing because it has just changed. */
  click(): void {
    if (replies.buttonMode(this._state.chat) === 'stop') {
      this.stop();
    } else if (
      replies.buttonMode(this._state.chat) === 'send' &&
      prompts.mayClick(this._state.prompt, this._options.clock.now())
    ) {
      this.send();
    }
  }

  // --- stop ---------------------------------------------------------------------------------

  /** Stop the reply that is being made; tell whether there was one. */
  stop(): boolean {
    const aim = replies.target(this._state.chat);
    if (!aim) {
      return false;
    }
    if (!aim.stopping) {
      this._stop(aim);
    }
    return true;
  }

  /** Stop all of this person's replies, in every chat. */
  stopAll(): void {
    this.stop();
    const call = this._call('all', { type: 'stop', all: true }, () => {
      const notice = { code: 'cannot_stop' as const, text: this._options.words.notConnected };
      this._set({ chat: { ...this._state.chat, notice } });
    });
    this._calls.set('all', call);
  }

  private _stop(aim: replies.Target): void {
    const { chat, prompt } = this._state;
    const pending = chat.pending.find(one => one.requestId === aim.requestId);
    const message = chat.messages.find(view => view.id === aim.messageId);
    const key = aim.requestId ?? message?.info.request_id ?? aim.messageId ?? '';
    const shown = message ? this._shownOf(message.id, aim.shown) : aim.shown;
    let next = prompts.guard(prompt, this._options.clock.now());
    if (pending?.kind === 'send') {
      next = prompts.giveBack(next, key, { text: pending.body, attachments: pending.attachments });
    } else if (message && !message.info.version_of && !this._continued.has(message.id)) {
      const asked = chat.messages.find(view => view.id === message.info.reply_to);
      if (asked?.role === 'user') {
        const attachments = asked.info.attachments ?? [];
        next = prompts.giveBack(next, key, { text: asked.text, attachments });
      }
    }
    if (aim.requestId && this._withdraw(aim.requestId)) {
      const withdrawn = { type: 'withdrawn' as const, requestId: aim.requestId };
      this._set({ prompt: next, chat: replies.reduce(chat, withdrawn) });
      this._sendHeld();
      return;
    }
    const goal = aim.messageId ? { messageId: aim.messageId } : { requestId: aim.requestId };
    this._set({
      prompt: next,
      chat: replies.reduce(chat, { type: 'stop', ...goal, shown })
    });
    const frame: Stop = aim.messageId
      ? { type: 'stop', message_id: aim.messageId, shown }
      : { type: 'stop', request_id: aim.requestId, shown };
    if (this._options.settings().onStop === 'discard') {
      frame.discard = true;
    }
    const id = aim.messageId ?? aim.requestId ?? '';
    this._calls.set(
      id,
      this._call(id, frame, reached => {
        const why = reached ? this._options.words.noAnswer : this._options.words.notConnected;
        this._set({
          chat: replies.reduce(this._state.chat, { type: 'stop_failed', ...goal, why }),
          prompt: prompts.takeBack(this._state.prompt, key)
        });
      })
    );
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

  private _withdraw(requestId: string): boolean {
    const held = this._held.length;
    this._held = this._held.filter(frame => frame.request_id !== requestId);
    return this._held.length < held || this._socket.withdraw(requestId);
  }

  private _shownOf(messageId: string, length: number): number {
    return Math.min(length, this._shown.get(messageId)?.() ?? length);
  }

  // --- what follows a reply -----------------------------------------------------------------

  /** Go on from a partial reply. */
  continueFrom(messageId: string): void {
    if (this._ask('continue', messageId)) {
      this._continued.add(messageId);
    }
  }

  /** Make a reply anew. */
  regenerate(messageId: string): void {
    this._ask('regenerate', messageId);
  }

  /** Take a queued prompt back into the input. */
  unqueue(messageId: string, keep: boolean): void {
    const { chat, prompt } = this._state;
    const reply = chat.messages.find(view => view.id === messageId);
    const asked = chat.messages.find(view => view.id === reply?.info.reply_to);
    const sent = this._socket.send({ type: 'unqueue', message_id: messageId });
    if (sent && keep && asked) {
      const attachments = asked.info.attachments ?? [];
      this._set({
        prompt: prompts.giveBack(prompt, messageId, { text: asked.text, attachments })
      });
    }
  }

  /** Leave this chat for a new one; what is being made goes on. */
  newChat(): void {
    this.openChat(null);
  }

  /** Show another chat. */
  openChat(chatId: string | null): void {
    const before = this._state.chat.chatId;
    if (before) {
      this._socket.unfollow(before);
    }
    this._set({ chat: replies.emptyChat(chatId) });
    this._options.remember(chatId);
    if (chatId) {
      this._socket.follow(chatId);
    }
  }

  dismissNotice(): void {
    this._set({ chat: replies.reduce(this._state.chat, { type: 'dismiss' }) });
  }

  private _ask(kind: 'continue' | 'regenerate', messageId: string): boolean {
    if (replies.isBusy(this._state.chat)) {
      return false;
    }
    const requestId = this._options.makeId();
    if (!this._socket.send({ type: kind, message_id: messageId, request_id: requestId })) {
      return false;
    }
    const request = { type: 'request' as const, requestId, kind, messageId };
    this._set({ chat: replies.reduce(this._state.chat, request) });
    return true;
  }

  // --- the server's side --------------------------------------------------------------------

  private _takeState(state: SocketState): void {
    if (state === 'connected') {
      this._calls.forEach(call => call.tryNow());
    }
    const lost = state === 'waiting' || (state === 'connecting' && this._state.lost);
    if (lost !== this._state.lost) {
      this._set({ lost });
    }
  }

  private _takeFrame(frame: ServerFrame): void {
    const before = this._state;
    if (frame.type === 'welcome') {
      this._set({ welcome: frame });
      return;
    }
    if (frame.type === 'error' && frame.code === 'unknown_chat' && before.chat.loading) {
      this._options.remember(null);
      this._set({ chat: replies.emptyChat(null) });
      return;
    }
    let chat = replies.reduce(before.chat, { type: 'frame', frame });
    let prompt = before.prompt;
    if (frame.type === 'error' && frame.request_id) {
      const refused = before.chat.pending.find(one => one.requestId === frame.request_id);
      if (refused?.kind === 'send' && !refused.stopping) {
        const { body: text, attachments } = refused;
        prompt = prompts.giveBack(prompt, refused.requestId, { text, attachments });
      }
    }
    if (frame.type === 'stop_result') {
      this._answered(frame.message_id ?? frame.request_id ?? (frame.all ? 'all' : ''));
      const lost = frame.results.some(result => result.outcome === 'not_found');
      if (lost && frame.message_id && chat.resync === 'no') {
        chat = { ...chat, resync: 'wanted' };
      }
    }
    if (chat.chatId && chat.chatId !== before.chat.chatId) {
      this._socket.noteFollowed(chat.chatId);
      this._options.remember(chat.chatId);
    }
    if (frame.type !== 'delta') {
      for (const view of chat.messages) {
        if (isTerminal(view.info.state)) {
          this._answered(view.id);
          if (view.info.state === 'completed' && view.role === 'assistant') {
            prompt = prompts.takeBack(prompt, view.info.request_id ?? view.id);
          }
        }
      }
    }
    if (chat === before.chat && prompt === before.prompt) {
      return;
    }
    if (chat.resync === 'wanted' && chat.chatId) {
      chat = replies.reduce(chat, { type: 'resync_asked' });
      this._set({ chat, prompt }, frame.type === 'delta');
      this._socket.follow(chat.chatId as string);
    } else {
      this._set({ chat, prompt }, frame.type === 'delta');
    }
    this._sendHeld();
  }

  private _answered(id: string): void {
    this._calls.get(id)?.answered();
    this._calls.delete(id);
  }

  private _sendHeld(): void {
    const { chatId, pending } = this._state.chat;
    const ids = new Set(this._held.map(frame => frame.request_id));
    while (this._held.length > 0) {
      if (chatId === null && pending.some(one => !ids.has(one.requestId))) {
        return;
      }
      const frame = this._held.shift() as Send;
      ids.delete(frame.request_id);
      this._socket.sendPrompt({ ...frame, chat_id: chatId });
    }
  }

  private _isTooLong(frame: Send): boolean {
    const limits = this._state.welcome?.limits;
    if (!limits) {
      return false;
    }
    const bytes = new TextEncoder().encode(JSON.stringify(frame)).length;
    return frame.body.length > limits.max_prompt_length || bytes > limits.max_frame_bytes;
  }

  private _set(change: Partial<Snapshot>, soon = false): void {
    const mode = replies.buttonMode(this._state.chat);
    this._state = { ...this._state, ...change };
    if (mode !== 'send' && replies.buttonMode(this._state.chat) === 'send') {
      const prompt = prompts.guard(this._state.prompt, this._options.clock.now());
      this._state = { ...this._state, prompt };
    }
    if (!soon) {
      this._tell();
    } else if (!this._told) {
      this._told = true;
      this._options.nextFrame(() => {
        if (this._told) {
          this._tell();
        }
      });
    }
  }

  private _tell(): void {
    this._told = false;
    [...this._listeners].forEach(listener => listener());
  }

  private _options: ControllerOptions;
  private _socket: ChatSocket;
  private _state: Snapshot = {
    chat: replies.emptyChat(),
    prompt: prompts.emptyPrompt,
    lost: false,
    welcome: null
  };
  private _listeners = new Set<() => void>();
  /** Set while a change waits for the next animation frame to be told. */
  private _told = false;
  private _calls = new Map<string, StopCall>();
  private _shown = new Map<string, () => number>();
  private _continued = new Set<string>();
  /** Prompts for a chat that has no id yet. */
  private _held: Send[] = [];
}
