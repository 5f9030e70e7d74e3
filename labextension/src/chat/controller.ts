/**
 * One chat: it joins the socket, the replies and the prompt.
 *
 * It imports nothing of JupyterLab or React, so that each race is tested in milliseconds.
 */
import { hasPicture } from './attachments';
import { StopPress } from './stop/press';
import { ChatCommand } from './commands';
import { hasText, MessageView } from './messages';
import * as prompts from './prompt';
import { PerChat } from './sending/perChat';
import { Attachment, ServerFrame } from '../wire/protocol';
import { Queueing } from './sending/queueing';
import { Reading } from './reading';
import { Receiving } from './receiving';
import * as replies from './replies';
import * as selectors from './selectors';
import { ControllerOptions } from './options';
import { Gathering } from './sending/gathering';
import { Sending } from './sending/sending';
import { ChatSocket, SocketState } from '../wire/socket';
import { ChatState, modeOf, Snapshot } from './state';
import { Approving } from './tools/approving';

let CONTROLLERS = 0;
let UPLOADS = 0;

export class ChatController {
  constructor(private _options: ControllerOptions) {
    const { clock, words, settings, socket, chatId, welcome, lost, off } = _options;
    this._socket = socket;
    this._makeId = _options.makeId;
    this._state = new ChatState(clock, _options.nextFrame);
    this._state.set({ chat: replies.emptyChat(chatId), welcome, lost, off });
    this.perChat = new PerChat(this._state, _options);
    this._gathering = new Gathering(this._state, { gather: _options.gather, words });
    this._sending = new Sending(this._state, socket, {
      makeId: _options.makeId,
      policy: () => settings().policy,
      picked: _options.picked,
      place: _options.place,
      mode: () => this.perChat.effectiveMode,
      words
    });
    this._reading = new Reading(this._state, socket, {
      clock,
      makeId: _options.makeId,
      tell: error => this._state.notice(error.code, error.message)
    });
    this._stopPress = new StopPress(this._state, socket, this._sending, {
      clock,
      makeId: _options.makeId,
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
    this.approving = new Approving(this._state, socket);
    this._receiving = new Receiving(this._state, socket, {
      approving: this.approving,
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

  /** What the person has chosen for this chat. */
  readonly perChat: PerChat;

  /** What tools ask the person. */
  readonly approving: Approving;

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
    const rests = chat.chat === null || chat.chat.state === 'idle' || selectors.isPaused(chat);
    const nothing = prompts.isNothing(prompt) && this._state.now.uploads.length === 0;
    return rests && !selectors.isBusy(chat) && nothing;
  }

  /** How much of each message is here already, so that the server sends only the rest. */
  offsets(): Record<string, number> {
    return selectors.offsets(this._state.now.chat);
  }

  dispose(): void {
    this._gathering.cancel();
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

  /**
   * Note that a file is on its way to the server; return a function that ends that.
   *
   * @param giveUp breaks it off.
   */
  beginUpload(name: string, giveUp: () => void): () => void {
    UPLOADS += 1;
    const upload = { key: UPLOADS, name, giveUp };
    this._state.set({ uploads: [...this._state.now.uploads, upload] });
    return () => {
      this._state.set({ uploads: this._state.now.uploads.filter(one => one !== upload) });
    };
  }

  swapChip(key?: string): void {
    this._state.set({ prompt: prompts.swapChip(this._state.now.prompt, key) });
  }

  dropChip(key?: string): void {
    this._state.set({ prompt: prompts.dropChip(this._state.now.prompt, key) });
  }

  /**
   * Run a command that was chosen behind a `/`.
   *
   * @param words what the input holds besides it.
   */
  async run(command: ChatCommand, words: string): Promise<void> {
    const { draft } = this._state.now.prompt;
    try {
      const text = await command.run(words);
      // what was typed meanwhile is not lost
      if (typeof text === 'string' && this._state.now.prompt.draft === draft) {
        this.edit(text);
      }
    } catch (error) {
      console.error(`The command /${command.name} failed.`, error);
      this.tell(this._options.words.commandFailed.replace('%1', `/${command.name}`));
    }
  }

  /** Send the draft; tell whether there was something to send. */
  send(): boolean {
    return this._gathering.begin(attachments => this._sending.send(undefined, attachments));
  }

  /**
   * Send words that are not the draft, which stays as it is; return the request's id, or null
   * where they are too long.
   *
   * @param elsewhere they are kept elsewhere: refused or stopped, they do not come back into the
   *   input.
   */
  ask(words: prompts.Prompt, { elsewhere = false } = {}): string | null {
    const requestId = this._sending.sendBeside(words, elsewhere);
    if (requestId !== null && elsewhere) {
      this._stopPress.noteElsewhere(requestId);
    }
    return requestId;
  }

  /** Stop what one request asked for, or take it out of the queue; tell whether it was there. */
  stopRequest(requestId: string): boolean {
    const waiting = selectors.queued(this._state.now.chat);
    const reply = waiting.find(view => view.info.request_id === requestId);
    if (reply) {
      this.queue.remove(reply.id);
      return true;
    }
    return this._stopPress.stopRequest(requestId);
  }

  /** Stop the reply that is being made, and send the draft in its place. */
  stopAndSend(): boolean {
    if (!prompts.isSendable(this._state.now.prompt) || !this._sending.mayLeave()) {
      return false;
    }
    return this._gathering.begin(attachments => {
      // nothing is stopped for what stays here
      if (!this._sending.isReady(attachments)) {
        return false;
      }
      this._stopPress.stop({ restores: false });
      return this._sending.send('interrupt', attachments);
    });
  }

  /** Send the draft behind the reply that is being made, whatever is set. */
  queueDraft(): boolean {
    return this._gathering.begin(attachments => this._sending.send('queue', attachments));
  }

  /** Click on the one button: it sends, stops, or does nothing because it has just changed. */
  click(): void {
    const { prompt } = this._state.now;
    const mode = modeOf(this._state.now);
    if (mode === 'stop') {
      this.stop();
    } else if (mode === 'send' && prompts.mayClick(prompt, this._options.clock.now())) {
      this.send();
    }
  }

  // --- replies ------------------------------------------------------------------------------

  /** Stop the reply that is being made; tell whether there was one. */
  stop(): boolean {
    const gave = this._gathering.cancel(); // both: what is stopped is all that goes on
    return this._stopPress.stop() || gave;
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
    this._gathering.cancel(); // what is about to be asked for is part of it
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
    const view = this._state.now.chat.messages.find(one => one.id === messageId);
    const all = view?.info.attachments ?? [];
    const says = body.trim() !== '' || hasPicture(keeps ? keeps.map(at => all[at]) : all);
    return says && this._sending.ask('edit', messageId, body, keeps);
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
    const before = this.chatId;
    this._receiving.receive(frame);
    if (this.chatId !== before) {
      this.perChat.renamed();
    }
  }

  private _state: ChatState;
  private _socket: ChatSocket;
  private _makeId: () => string;
  private _gathering: Gathering;
  private _sending: Sending;
  private _stopPress: StopPress;
  private _reading: Reading;
  private _receiving: Receiving;
}
