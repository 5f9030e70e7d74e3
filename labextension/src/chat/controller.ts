/**
 * One chat: it joins the socket, the replies and the prompt.
 *
 * It imports nothing of JupyterLab or React, so that each race is tested in milliseconds.
 */
import { Clock } from '../wire/clock';
import { StopPress } from './stop/press';
import { hasText, MessageView } from './messages';
import * as prompts from './prompt';
import { Attachment, ServerFrame, Welcome } from '../wire/protocol';
import { Queueing } from './sending/queueing';
import { Reading } from './reading';
import { Receiving } from './receiving';
import * as replies from './replies';
import * as selectors from './selectors';
import { PickedModel, Sending } from './sending/sending';
import { ChatSocket, SocketState } from '../wire/socket';
import { ChatState, Snapshot } from './state';

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
  /** Called with each reply that was being made here and has ended. */
  onEnd?: (reply: MessageView) => void;
}

export class ChatController {
  constructor(private _options: ControllerOptions) {
    const { clock, words, settings, socket, chatId, welcome, lost, off } = _options;
    this._socket = socket;
    this._makeId = _options.makeId;
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
    this._stopPress = new StopPress(this._state, socket, this._sending, {
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
    this._receiving = new Receiving(this._state, socket, {
      sending: this._sending,
      stopPress: this._stopPress,
      reading: this._reading,
      queue: this.queue,
      onEnd: _options.onEnd
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
    return selectors.isBusy(this._state.now.chat);
  }

  /** Nothing is made, waits or was typed: it can be forgotten. */
  get isDone(): boolean {
    const { chat, prompt } = this._state.now;
    const rests = chat.chat === null || chat.chat.state === 'idle' || chat.chat.state === 'paused';
    return rests && !selectors.isBusy(chat) && prompts.isNothing(prompt);
  }

  /** How much of each message is here already, so that the server sends only the rest. */
  offsets(): Record<string, number> {
    return selectors.offsets(this._state.now.chat);
  }

  dispose(): void {
    this._stopPress.dispose();
    this._reading.dispose();
    this._state.dispose();
  }

  /** Try to reconnect now. */
  reconnect(): void {
    this._socket.connect();
  }

  /** Register how much of a message one view has on the screen; return a function that ends it. */
  reportShown(messageId: string, shown: () => number): () => void {
    return this._stopPress.reportShown(messageId, shown);
  }

  /** Read what is missing of a message soon; return a function that cancels that. */
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

  /** Recall an earlier prompt's words into an empty input; tell whether there was one. */
  recall(step: 1 | -1): boolean {
    const { chat, prompt } = this._state.now;
    const recalled = prompts.recall(prompt, selectors.promptWords(chat), step);
    this._state.set({ prompt: recalled });
    return recalled !== prompt;
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
    this._stopPress.stop({ restores: false });
    return this._sending.send('interrupt');
  }

  /** Send the draft behind the reply that is being made, whatever is set. */
  queueDraft(): boolean {
    return this._sending.send('queue');
  }

  /** Click on the one button: it sends, stops, or does nothing because it has just changed. */
  click(): void {
    const { chat, prompt } = this._state.now;
    const mode = selectors.buttonMode(chat);
    if (mode === 'stop') {
      this.stop();
    } else if (mode === 'send' && prompts.mayClick(prompt, this._options.clock.now())) {
      this.send();
    }
  }

  // --- replies ------------------------------------------------------------------------------

  /** Stop the reply that is being made; tell whether there was one. */
  stop(): boolean {
    return this._stopPress.stop();
  }

  /** Stop one reply, or remove it from the queue; return whether it was there to be stopped. */
  stopMessage(messageId: string): boolean {
    const { chat } = this._state.now;
    if (selectors.queued(chat).some(view => view.id === messageId)) {
      this.queue.remove(messageId);
      return true;
    }
    return selectors.target(chat)?.messageId === messageId && this.stop();
  }

  /** Stop all of this person's replies, in every chat. */
  stopAll(): void {
    this._stopPress.stopAll();
  }

  /** Continue a partial reply once all of its text is here: a stop says how much was seen. */
  continueFrom(messageId: string): void {
    const view = this._state.now.chat.messages.find(one => one.id === messageId);
    if (view && !hasText(view)) {
      void this._reading.whole(messageId).then(whole => whole && this.continueFrom(messageId));
    } else if (this._sending.ask('continue', messageId)) {
      this._stopPress.noteContinued(messageId);
    }
  }

  /** Make a reply anew. */
  regenerate(messageId: string): void {
    this._sending.ask('regenerate', messageId);
  }

  /**
   * Ask again from a changed prompt; tell whether it was sent.
   *
   * @param keeps the places of the attachments that go with it again; by default all do.
   */
  editPrompt(messageId: string, body: string, keeps?: readonly number[]): boolean {
    return body.trim() !== '' && this._sending.ask('edit', messageId, body, keeps);
  }

  /** Bring words back that could not be sent: into the input, or a chip where that holds others. */
  giveBack(words: prompts.Prompt): void {
    const { prompt } = this._state.now;
    this._state.set({ prompt: prompts.giveBack(prompt, this._makeId(), words) });
  }

  /** Show another version of a message, and what follows it. */
  showVersion(messageId: string): void {
    this._state.reduce({ type: 'choose', messageId });
  }

  /** Tell the person why something could not be done, and what can be done instead. */
  tell(text: string, offer?: replies.Offer): void {
    this._state.notice('not_done', text, offer);
  }

  /** Dismiss what `tell` said: the person has done something else about it. */
  untell(): void {
    if (this._state.now.chat.notice?.code === 'not_done') {
      this.dismissNotice();
    }
  }

  dismissNotice(): void {
    this._state.reduce({ type: 'dismiss' });
  }

  // --- the server's side --------------------------------------------------------------------

  /** Note the state of the connection. */
  setConnection(state: SocketState, lost: boolean): void {
    this._reading.reset();
    if (state === 'connected') {
      this._stopPress.tryNow();
    }
    if (lost !== this._state.now.lost) {
      this._state.set({ lost });
    }
  }

  /** Note whether the server answers but has no chat. */
  setOff(off: boolean): void {
    if (off !== this._state.now.off) {
      this._state.set({ off });
    }
  }

  /** Receive a frame of the server; those of other chats change nothing. */
  receive(frame: ServerFrame): void {
    this._receiving.receive(frame);
  }

  private _state: ChatState;
  private _socket: ChatSocket;
  private _makeId: () => string;
  private _sending: Sending;
  private _stopPress: StopPress;
  private _reading: Reading;
  private _receiving: Receiving;
}
