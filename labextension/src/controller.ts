/**
 * The chat of a panel: it joins the socket, the replies and the prompt.
 *
 * It imports nothing of JupyterLab or React, so that each race is tested in milliseconds.
 */
import { Clock } from './clock';
import { isTerminal } from './guards';
import { Halting } from './halting';
import * as prompts from './prompt';
import { Attachment, ServerFrame } from './protocol';
import { Queueing } from './queueing';
import * as replies from './replies';
import { Sending } from './sending';
import { ChatSocket, SocketLike, SocketState } from './socket';
import { ChatState, Snapshot } from './state';

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
  /** Hear each frame of the server as well, after it was taken in. */
  onFrame?: (frame: ServerFrame) => void;
}

export class ChatController {
  constructor(private _options: ControllerOptions) {
    const { clock, words, settings } = _options;
    this._state = new ChatState(clock, _options.nextFrame);
    this._socket = new ChatSocket({
      connect: _options.connect,
      clock,
      onFrame: frame => {
        this._takeFrame(frame);
        _options.onFrame?.(frame);
      },
      onState: state => this._takeState(state),
      offsetsOf: chatId => {
        const { chat } = this._state.now;
        return chat.chatId === chatId ? replies.offsets(chat) : {};
      }
    });
    this._sending = new Sending(this._state, this._socket, {
      makeId: _options.makeId,
      policy: () => settings().policy,
      promptTooLong: words.promptTooLong
    });
    this._halting = new Halting(this._state, this._socket, this._sending, {
      clock,
      discard: () => settings().onStop === 'discard',
      words
    });
    this.queue = new Queueing(this._state, this._socket, this._sending);
    this.subscribe = this._state.subscribe;
  }

  /** The prompts that wait. */
  readonly queue: Queueing;

  readonly subscribe: (listener: () => void) => () => void;

  readonly getSnapshot = (): Snapshot => this._state.now;

  /** Connect, and show a chat again that was shown before a reload. */
  start(chatId: string | null): void {
    if (chatId) {
      this._state.set({ chat: replies.emptyChat(chatId) });
      this._socket.follow(chatId);
    }
    this._socket.connect();
  }

  dispose(): void {
    this._socket.close();
    this._halting.dispose();
    this._state.dispose();
  }

  /** Try to reconnect now. */
  reconnect(): void {
    this._socket.connect();
  }

  /** Tell how much of a message is on the screen; null takes it back. */
  reportShown(messageId: string, shown: (() => number) | null): void {
    this._halting.reportShown(messageId, shown);
  }

  // --- the prompt ---------------------------------------------------------------------------

  edit(text: string): void {
    this._state.set({ prompt: prompts.edit(this._state.now.prompt, text) });
  }

  attach(attachments: readonly Attachment[]): void {
    this._state.set({ prompt: prompts.attach(this._state.now.prompt, attachments) });
  }

  swapChip(): void {
    this._state.set({ prompt: prompts.swapChip(this._state.now.prompt) });
  }

  dropChip(): void {
    this._state.set({ prompt: prompts.dropChip(this._state.now.prompt) });
  }

  /** Send the draft; tell whether there was something to send. */
  send(): boolean {
    return this._sending.send();
  }

  /** Click on the one button: it sends, stops, or does nothing because it has just changed. */
  click(): void {
    const { chat, prompt } = this._state.now;
    const mode = replies.buttonMode(chat);
    if (mode === 'stop') {
      this.stop();
    } else if (mode === 'send' && prompts.mayClick(prompt, this._options.clock.now())) {
      this.send();
    }
  }

  // --- replies ------------------------------------------------------------------------------

  /** Stop the reply that is being made; tell whether there was one. */
  stop(): boolean {
    return this._halting.stop();
  }

  /** Stop all of this person's replies, in every chat. */
  stopAll(): void {
    this._halting.stopAll();
  }

  /** Go on from a partial reply. */
  continueFrom(messageId: string): void {
    if (this._sending.ask('continue', messageId)) {
      this._halting.noteContinued(messageId);
    }
  }

  /** Make a reply anew. */
  regenerate(messageId: string): void {
    this._sending.ask('regenerate', messageId);
  }

  /** Ask again from a changed prompt; tell whether it was sent. */
  editPrompt(messageId: string, body: string): boolean {
    return body.trim() !== '' && this._sending.ask('edit', messageId, body);
  }

  /** Show another version of a message, and what follows it. */
  showVersion(messageId: string): void {
    this._state.reduce({ type: 'choose', messageId });
  }

  dismissNotice(): void {
    this._state.reduce({ type: 'dismiss' });
  }

  // --- chats --------------------------------------------------------------------------------

  /** Leave this chat for a new one; what is being made goes on. */
  newChat(): void {
    this.openChat(null);
  }

  /** Show another chat. */
  openChat(chatId: string | null): void {
    const { chat } = this._state.now;
    if (chat.chatId !== null && chat.chatId === chatId) {
      return;
    }
    if (chat.chatId && !replies.isBusy(chat)) {
      this._socket.unfollow(chat.chatId);
    } else if (chat.chatId) {
      this._left.add(chat.chatId); // how it ends is shown in the list
    }
    this._state.set({ chat: replies.emptyChat(chatId) });
    this._options.remember(chatId);
    if (chatId) {
      this._left.delete(chatId);
      this._socket.follow(chatId);
    }
  }

  // --- the server's side --------------------------------------------------------------------

  private _takeState(state: SocketState): void {
    if (state === 'connected') {
      this._halting.tryNow();
    }
    const lost = state === 'waiting' || (state === 'connecting' && this._state.now.lost);
    if (lost !== this._state.now.lost) {
      this._state.set({ lost });
    }
  }

  private _takeFrame(frame: ServerFrame): void {
    const before = this._state.now;
    if (frame.type === 'welcome') {
      this._state.set({ welcome: frame });
      return;
    }
    const gone =
      (frame.type === 'error' && frame.code === 'unknown_chat' && before.chat.loading) ||
      (frame.type === 'chat' && frame.deleted && frame.chat.id === before.chat.chatId);
    if (gone) {
      this._options.remember(null);
      this._state.set({ chat: replies.emptyChat(null) });
      return;
    }
    this._letGo(frame);
    let chat = replies.reduce(before.chat, { type: 'frame', frame });
    if (frame.type === 'stop_result') {
      this._halting.answered(frame.message_id ?? frame.request_id ?? (frame.all ? 'all' : ''));
      const lost = frame.results.some(result => result.outcome === 'not_found');
      if (lost && frame.message_id && chat.resync === 'no') {
        chat = { ...chat, resync: 'wanted' };
      }
    }
    if (chat.chatId && chat.chatId !== before.chat.chatId) {
      this._socket.noteFollowed(chat.chatId);
      this._options.remember(chat.chatId);
    }
    const prompt = this._promptAfter(frame, chat);
    if (chat === before.chat && prompt === before.prompt) {
      return;
    }
    const wanted = chat.resync === 'wanted' ? chat.chatId : null;
    if (wanted) {
      chat = replies.reduce(chat, { type: 'resync_asked' });
    }
    this._state.set({ chat, prompt }, frame.type === 'delta');
    if (wanted) {
      this._socket.follow(wanted);
    }
    this._sending.sendHeld();
  }

  /** Where the prompt is after a frame: what was refused comes back, what was answered is gone. */
  private _promptAfter(frame: ServerFrame, chat: replies.ChatView): prompts.PromptState {
    const before = this._state.now;
    let prompt = before.prompt;
    if (frame.type === 'delta') {
      return prompt;
    }
    if ((frame.type === 'error' || frame.type === 'accepted') && frame.request_id) {
      const words = this._sending.answered(frame.request_id);
      const refused = before.chat.pending.find(one => one.requestId === frame.request_id);
      if (frame.type === 'error' && words) {
        prompt = prompts.giveBack(prompt, frame.request_id, { text: words, attachments: [] });
      } else if (frame.type === 'error' && refused?.body && !refused.stopping) {
        const { body: text, attachments } = refused;
        prompt = prompts.giveBack(prompt, refused.requestId, { text, attachments });
      }
    }
    for (const view of chat.messages) {
      if (isTerminal(view.info.state)) {
        this._halting.answered(view.id);
        if (view.info.state === 'completed' && view.role === 'assistant') {
          prompt = prompts.takeBack(prompt, view.info.request_id ?? view.id);
        }
      }
    }
    return prompt;
  }

  /** Follow a chat that was left no longer than until nothing is made in it. */
  private _letGo(frame: ServerFrame): void {
    if (frame.type !== 'chat' || !this._left.has(frame.chat.id)) {
      return;
    }
    if (frame.deleted || frame.chat.state === 'idle' || frame.chat.state === 'paused') {
      this._left.delete(frame.chat.id);
      // the last message's end may come right behind
      this._options.clock.after(1000, () => {
        if (this._state.now.chat.chatId !== frame.chat.id && !this._left.has(frame.chat.id)) {
          this._socket.unfollow(frame.chat.id);
        }
      });
    }
  }

  private _state: ChatState;
  private _socket: ChatSocket;
  private _sending: Sending;
  private _halting: Halting;
  /** Chats that are not shown, but in which something was being made when they were left. */
  private _left = new Set<string>();
}
