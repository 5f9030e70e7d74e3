/**
 * One chat: it joins the socket, the replies and the prompt.
 *
 * It imports nothing of JupyterLab or React, so that each race is tested in milliseconds.
 */
import { Clock } from '../wire/clock';
import { isTerminal } from '../wire/guards';
import { Halting } from './stop/press';
import { hasText, MessageView } from './messages';
import * as prompts from './prompt';
import { Attachment, ServerFrame, Welcome } from '../wire/protocol';
import { Queueing } from './sending/queueing';
import { Reading } from './reading';
import * as replies from './replies';
import { PickedModel, Sending } from './sending/sending';
import { ChatSocket, SocketState } from '../wire/socket';
import { ChatState, Snapshot } from './state';
import { isFor, refusedBy } from './whose';

/** What the person has set. */
export interface ChatSettings {
  readonly onStop: 'keep' | 'discard';
  /** What a second prompt does; null leaves it to the server's setting. */
  readonly policy: 'queue' | 'interrupt' | 'reject' | null;
  /** The prompt comes back into the input at Stop. */
  readonly restorePrompt: boolean;
}

/** The sentences that are made on this side. */
export interface Words {
  readonly notConnected: string;
  readonly noAnswer: string;
  readonly promptTooLong: string;
}

let CONTROLLERS = 0;

export interface ControllerOptions {
  /** The chat to show; null for a new one. */
  chatId: string | null;
  socket: ChatSocket;
  welcome: Welcome | null;
  lost: boolean;
  off: boolean;
  clock: Clock;
  makeId: () => string;
  settings: () => ChatSettings;
  /** The model that the person picked; without it, the server chooses. */
  picked?: PickedModel;
  words: Words;
  /** Call once, at the next animation frame: many deltas make one change of the page. */
  nextFrame: (what: () => void, ms: number) => void;
  /** Hear of each reply that was being made here and has ended. */
  onEnd?: (reply: MessageView) => void;
}

export class ChatController {
  constructor(private _options: ControllerOptions) {
    const { clock, words, settings, socket, chatId, welcome, lost, off } = _options;
    this._socket = socket;
    this._state = new ChatState(clock, _options.nextFrame);
    this._state.set({ chat: replies.emptyChat(chatId), welcome, lost, off });
    this._sending = new Sending(this._state, socket, {
      makeId: _options.makeId,
      policy: () => settings().policy,
      picked: _options.picked,
      words
    });
    this._reading = new Reading(this._state, socket, {
      clock,
      makeId: _options.makeId,
      tell: error => this._state.notice(error.code, error.message)
    });
    this._halting = new Halting(this._state, socket, this._sending, {
      clock,
      whole: id => this._reading.whole(id, true),
      discard: () => settings().onStop === 'discard',
      restores: () => settings().restorePrompt,
      words
    });
    this.queue = new Queueing(this._state, socket, {
      makeId: _options.makeId,
      fits: frame => this._sending.fits(frame),
      whole: id => this._reading.whole(id, true)
    });
    this.subscribe = this._state.subscribe;
    CONTROLLERS += 1;
    this.key = `chat ${CONTROLLERS}`;
  }

  /** Tells it from the other controllers of the page. */
  readonly key: string;

  /** The prompts that wait. */
  readonly queue: Queueing;

  readonly subscribe: (listener: () => void) => () => void;

  readonly getSnapshot = (): Snapshot => this._state.now;

  /** The chat on the server; null for a new one that it does not know yet. */
  get chatId(): string | null {
    return this._state.now.chat.chatId;
  }

  /** It is a new chat, in which nothing was sent. */
  get isBlank(): boolean {
    const { chatId, pending } = this._state.now.chat;
    return chatId === null && pending.length === 0;
  }

  /** A reply is being made, or was asked for. */
  get isBusy(): boolean {
    return replies.isBusy(this._state.now.chat);
  }

  /** Nothing is made, waits or was typed: it can be forgotten. */
  get isDone(): boolean {
    const { chat, prompt } = this._state.now;
    const rests = chat.chat === null || chat.chat.state === 'idle' || chat.chat.state === 'paused';
    return rests && !replies.isBusy(chat) && prompts.isNothing(prompt);
  }

  /** How much of each message is here already, for the server to send only the tails. */
  offsets(): Record<string, number> {
    return replies.offsets(this._state.now.chat);
  }

  dispose(): void {
    this._halting.dispose();
    this._reading.dispose();
    this._state.dispose();
  }

  /** Try to reconnect now. */
  reconnect(): void {
    this._socket.connect();
  }

  /** Tell how much of a message one view has on the screen; return what takes it back. */
  reportShown(messageId: string, shown: () => number): () => void {
    return this._halting.reportShown(messageId, shown);
  }

  /** Have what is missing of a message soon; return what takes that back. */
  want(messageId: string, details = false): () => void {
    return this._reading.want(messageId, details);
  }

  /** Wait until all of a message's text is here; null when it cannot be had. */
  whole(messageId: string): Promise<MessageView | null> {
    return this._reading.whole(messageId);
  }

  /** Ask again for a chat that could not be opened. */
  openAgain(): void {
    const { chatId } = this._state.now.chat;
    if (chatId) {
      this._state.reduce({ type: 'resync_asked' });
      this._socket.follow(chatId);
    }
  }

  // --- the prompt ---------------------------------------------------------------------------

  edit(text: string): void {
    this._state.set({ prompt: prompts.edit(this._state.now.prompt, text) });
  }

  attach(attachments: readonly Attachment[]): void {
    this._state.set({ prompt: prompts.attach(this._state.now.prompt, attachments) });
  }

  swapChip(key?: string): void {
    this._state.set({ prompt: prompts.swapChip(this._state.now.prompt, key) });
  }

  dropChip(key?: string): void {
    this._state.set({ prompt: prompts.dropChip(this._state.now.prompt, key) });
  }

  /** Send the draft; tell whether there was something to send. */
  send(): boolean {
    return this._sending.send();
  }

  /** Stop the reply that is being made, and send the draft in its place. */
  stopAndSend(): boolean {
    if (!prompts.isSendable(this._state.now.prompt)) {
      return false;
    }
    this._halting.stop({ restores: false });
    return this._sending.send('interrupt');
  }

  /** Send the draft behind the reply that is being made, whatever is set. */
  queueDraft(): boolean {
    return this._sending.send('queue');
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

  /** Stop one reply, or take it out of the queue; tell whether it was there to be stopped. */
  stopMessage(messageId: string): boolean {
    const { chat } = this._state.now;
    if (replies.queued(chat).some(view => view.id === messageId)) {
      this.queue.remove(messageId);
      return true;
    }
    return replies.target(chat)?.messageId === messageId && this.stop();
  }

  /** Stop all of this person's replies, in every chat. */
  stopAll(): void {
    this._halting.stopAll();
  }

  /** Go on from a partial reply, once all of it is here: a stop tells how much was seen. */
  continueFrom(messageId: string): void {
    const view = this._state.now.chat.messages.find(one => one.id === messageId);
    if (view && !hasText(view)) {
      void this._reading.whole(messageId).then(whole => whole && this.continueFrom(messageId));
    } else if (this._sending.ask('continue', messageId)) {
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

  /** Tell the person why something could not be done. */
  tell(text: string): void {
    this._state.notice('not_done', text);
  }

  /** Put away what `tell` said: the person has done something else about it. */
  untell(): void {
    if (this._state.now.chat.notice?.code === 'not_done') {
      this.dismissNotice();
    }
  }

  dismissNotice(): void {
    this._state.reduce({ type: 'dismiss' });
  }

  // --- the server's side --------------------------------------------------------------------

  /** Take in what became of the connection. */
  takeState(state: SocketState, lost: boolean): void {
    this._reading.reset();
    if (state === 'connected') {
      this._halting.tryNow();
    }
    if (lost !== this._state.now.lost) {
      this._state.set({ lost });
    }
  }

  /** Take in whether the server is there without the chat. */
  takeOff(off: boolean): void {
    if (off !== this._state.now.off) {
      this._state.set({ off });
    }
  }

  /** Take a frame of the server in; those of other chats change nothing. */
  takeFrame(frame: ServerFrame): void {
    const before = this._state.now;
    if (frame.type === 'welcome') {
      this._state.set({ welcome: frame });
      return;
    }
    const isReading = frame.type === 'pieces' || frame.type === 'error';
    if (isReading && this._reading.take(frame)) {
      return;
    }
    const asked = { edits: this.queue.edits, stops: this._halting.stops };
    if (frame.type === 'error' && !isFor(frame, before.chat, asked)) {
      return;
    }
    const gone =
      (frame.type === 'error' && frame.code === 'unknown_chat' && before.chat.loading) ||
      (frame.type === 'chat' && frame.deleted && frame.chat.id === before.chat.chatId);
    if (gone) {
      this._socket.unfollow(before.chat.chatId as string);
      this._state.set({ chat: replies.emptyChat(null) });
      return;
    }
    let chat = replies.reduce(before.chat, { type: 'frame', frame: this._sending.worded(frame) });
    if (frame.type === 'stop_result') {
      this._halting.answered(frame.message_id ?? frame.request_id ?? (frame.all ? 'all' : ''));
      const lost = frame.results.some(result => 
        ['not_found', 'made_elsewhere'].includes(result.outcome)
      );
      if (lost && frame.message_id && chat.resync === 'no') {
        chat = { ...chat, resync: 'wanted' };
      }
    }
    if (chat.chatId && chat.chatId !== before.chat.chatId) {
      this._socket.noteFollowed(chat.chatId);
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
    if (frame.type !== 'delta') {
      this.queue.take(frame);
      this._reading.look();
    }
    if (frame.type === 'message' || frame.type === 'chat') {
      this._tellEnds(before.chat.messages, chat.messages);
    }
  }

  private _tellEnds(before: readonly MessageView[], now: readonly MessageView[]): void {
    const made = new Set(
      before.filter(view => !isTerminal(view.info.state)).map(view => view.id)
    );
    for (const view of now) {
      if (made.has(view.id) && isTerminal(view.info.state) && view.role === 'assistant') {
        this._options.onEnd?.(view);
      }
    }
  }

  /** Where the prompt is after a frame: what was refused comes back, what was answered is gone. */
  private _promptAfter(frame: ServerFrame, chat: replies.ChatView): prompts.PromptState {
    const before = this._state.now;
    let prompt = before.prompt;
    if (frame.type === 'delta') {
      return prompt;
    }
    const answered = frame.type === 'accepted' ? frame.request_id : refusedBy(frame);
    if (answered) {
      const words = this.queue.answered(answered);
      const pending = before.chat.pending.find(one => one.requestId === answered);
      if (frame.type === 'error' && words) {
        prompt = prompts.giveBack(prompt, answered, { text: words, attachments: [] });
      } else if (frame.type === 'error' && pending?.body && !pending.stopping) {
        const { body: text, attachments } = pending;
        prompt = prompts.giveBack(prompt, answered, { text, attachments });
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

  private _state: ChatState;
  private _socket: ChatSocket;
  private _sending: Sending;
  private _halting: Halting;
  private _reading: Reading;
}
