/** A prompt in a cell: what is typed, what becomes of it, and the change that it came to. */
import { firstCode } from '../../text/firstCode';
import { hasText, MessageView } from '../../chat/messages';
import { ChatController } from '../../chat/controller';
import { isPaused, queued, visible } from '../../chat/selectors';
import { isTerminal } from '../../wire/guards';
import { Attachment } from '../../wire/protocol';
import { CellHandle } from '../difference/cellHandle';
import { Difference } from '../difference/difference';

/**
 * `writing`: it can be asked. `waiting`: it was, and no code has come. `coming`: code comes.
 * `stopping`: Stop was pressed. `deciding`: the code is there.
 */
export type Phase = 'writing' | 'waiting' | 'coming' | 'stopping' | 'deciding';

/** The sentences that are said. */
export interface PromptWords {
  readonly waits: string;
  readonly paused: string;
  readonly stopped: string;
  readonly noCode: string;
  readonly same: string;
  readonly cut: string;
  readonly ready: string;
  readonly readOnly: string;
  readonly notSent: string;
  /** The cell is gone, and the answer is in the chat. */
  readonly gone: string;
  cannotStop(why: string): string;
  failed(why: string): string;
}

export interface CellPromptOptions {
  words: PromptWords;
  /** Open the chat of the notebook. */
  chat: () => Promise<ChatController>;
  /** What goes with the prompt. */
  attachment: (controller: ChatController) => Attachment;
  /** Make a cell's code of a block of an answer. */
  codeOf: (code: string, language: string) => string;
  /** Called with each request that is sent. */
  onAsked: (requestId: string) => void;
  /** Say something to a screen reader. */
  announce: (words: string) => void;
  /** Requests of cells that were stopped in their cells: what waits behind them goes on. */
  stoppedHere: Set<string>;
}

export class CellPrompt {
  constructor(
    readonly handle: CellHandle,
    private _options: CellPromptOptions,
    public text = ''
  ) {}

  phase: Phase = 'writing';
  /** What there is to say about it; empty where nothing is. */
  sentence = '';
  /** The change that it came to so far. */
  difference: Difference | null = null;

  /** What it was asked by; null while it is being written. */
  get requestId(): string | null {
    return this._requestId;
  }

  /** What the cell held when it was asked. */
  get base(): string {
    return this._base;
  }

  /** What it was asked by last, whatever became of that. */
  get lastAsked(): string | null {
    return this._lastAsked;
  }

  get controller(): ChatController | null {
    return this._controller;
  }

  /** Call a listener when it has changed. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  readonly getSnapshot = (): number => this._version;

  edit(text: string): void {
    this.text = text;
    this._changed();
  }

  /** Ask, or ask again: a change that is not decided on goes. */
  async ask(): Promise<void> {
    const { words, chat, attachment, onAsked } = this._options;
    if (this.text.trim() === '' || this._isBusy || !this.handle.cell) {
      return;
    }
    if (this.handle.isReadOnly) {
      this._back(words.readOnly);
      return;
    }
    this._unfollow();
    this._dropDifference();
    this._base = this.handle.source;
    this._requestId = null; // a stop means this one now, which waits to be sent
    this._set('waiting', '');
    const asked = (this._asked += 1);
    const controller = await chat().catch(() => null);
    if (asked !== this._asked || this._isOver) {
      return; // stopped, or closed, before it was sent
    }
    const prompt = { text: this.text, attachments: controller ? [attachment(controller)] : [] };
    const requestId = controller?.ask(prompt, { elsewhere: true }) ?? null;
    if (!controller || requestId === null) {
      this._back(controller?.getSnapshot().chat.notice?.text ?? words.notSent);
      return;
    }
    onAsked(requestId);
    this._follow(controller, requestId);
  }

  /** Go on with what was asked before the page was loaded anew, or the notebook closed. */
  async resume(requestId: string, base: string | null): Promise<void> {
    this._base = base ?? this.handle.source;
    this._requestId = requestId;
    this._set('waiting', '');
    const asked = (this._asked += 1);
    const controller = await this._options.chat().catch(() => null);
    if (this.phase === 'stopping') {
      controller?.stopRequest(requestId); // also where its notebook was closed meanwhile
    }
    if (asked !== this._asked || this._isOver) {
      return;
    }
    if (!controller) {
      this._back(this._options.words.notSent);
      return;
    }
    this._follow(controller, requestId);
  }

  /** Stop it at once: the cell is left as it is, and the words stay. Tell whether it was made. */
  stop(): boolean {
    if (!this._isBusy) {
      return false;
    }
    const requestId = this._requestId;
    this._dropDifference();
    if (requestId === null) {
      this.giveUp();
    } else if (this.phase !== 'stopping') {
      this._options.stoppedHere.add(requestId);
      this._set('stopping', '');
      // else it is stopped once its chat is here
      this._controller?.stopRequest(requestId);
      this._look();
    }
    return true;
  }

  /** Give up what waits to be sent until its chat is here; what was sent goes on. */
  giveUp(): void {
    if (this._isBusy && this._requestId === null) {
      this._asked += 1;
      this._back(this._options.words.stopped);
    }
  }

  /** Take the change out of the view; the words stay. What is still said of it is stopped. */
  reject(): void {
    if (this._requestId !== null && this._controller?.stopRequest(this._requestId)) {
      this._options.stoppedHere.add(this._requestId);
    }
    this._back('');
  }

  dispose(): void {
    this._isOver = true;
    this._unfollow();
    this._dropDifference();
    this._listeners.clear();
  }

  private get _isBusy(): boolean {
    return this.phase !== 'writing' && this.phase !== 'deciding';
  }

  private _follow(controller: ChatController, requestId: string): void {
    this._controller = controller;
    this._requestId = requestId;
    this._lastAsked = requestId;
    this._endFollow = controller.subscribe(() => this._look());
    this._changed();
    this._look();
  }

  private _unfollow(): void {
    this._endFollow();
    this._endFollow = () => undefined;
  }

  /** See how far the reply is. */
  private _look(): void {
    const { words } = this._options;
    if (!this._controller) {
      return; // it is not here yet
    }
    const { chat } = this._controller.getSnapshot();
    const reply = chat.messages.find(
      one => one.role === 'assistant' && one.info.request_id === this._requestId
    );
    const pending = chat.pending.find(one => one.requestId === this._requestId);
    if (!reply) {
      if (pending?.stopFailed) {
        this._set('waiting', words.cannotStop(pending.stopFailed));
      } else if (!pending && !chat.loading) {
        const refusal = chat.notice?.text ?? words.notSent;
        this._back(this.phase === 'stopping' ? words.stopped : refusal);
      }
    } else if (isTerminal(reply.info.state)) {
      this._ended(reply);
    } else if (reply.stopFailed !== null && this.phase === 'stopping') {
      this._set('waiting', words.cannotStop(reply.stopFailed));
    } else if (this.phase !== 'stopping') {
      this._goesOn(reply);
    }
  }

  private _goesOn(reply: MessageView): void {
    const { words } = this._options;
    const controller = this._controller as ChatController;
    const { chat } = controller.getSnapshot();
    if (queued(chat).includes(reply)) {
      const paused = isPaused(chat);
      const before = visible(chat).filter(one => one.role === 'assistant');
      const last = before[before.findIndex(one => one.info.state === 'queued') - 1];
      if (paused && this._options.stoppedHere.delete(last?.info.request_id ?? '')) {
        controller.queue.resume(); // the other cell was stopped, and nothing else
      }
      this._set('waiting', paused ? words.paused : words.waits);
      return;
    }
    const code = this._codeIn(reply, false);
    if (code === null) {
      this._set(this.phase === 'coming' ? 'coming' : 'waiting', this._kept);
    } else if (!(this.phase === 'deciding')) {
      this._propose(code.text, !code.whole);
      if (code.whole) {
        this._decide(''); // what still comes are words, and they are in the chat
      } else {
        this._set('coming', this._kept);
      }
    }
  }

  private _ended(reply: MessageView): void {
    const { words, announce } = this._options;
    const { state, error, finish_reason } = reply.info;
    if (state === 'completed' && !hasText(reply)) {
      this._controller?.want(reply.id);
      return; // it is told of again once it is here
    }
    this._unfollow();
    if (this.phase === 'deciding') {
      return;
    }
    if (!this.handle.cell && !this.handle.isClosed && this.phase !== 'stopping') {
      announce(words.gone);
    }
    const code = state === 'completed' && this.phase !== 'stopping' && this._codeIn(reply, true);
    if (code) {
      this._propose(code.text, false);
      this._decide(finish_reason ? words.cut : '');
    } else if (state === 'completed' && this.phase !== 'stopping') {
      this._back(words.noCode);
    } else if (state === 'failed') {
      this._back(words.failed(error?.message ?? ''));
    } else {
      this._back(words.stopped);
    }
  }

  private _decide(sentence: string): void {
    const { words, announce } = this._options;
    if (this.difference?.count === 0) {
      this._back(words.same);
      return;
    }
    this._set('deciding', sentence);
    announce(sentence || words.ready);
  }

  private _codeIn(reply: MessageView, done: boolean): { text: string; whole: boolean } | null {
    const code = firstCode(reply.text, done);
    return code && code.text.trim() !== ''
      ? { text: this._options.codeOf(code.text, code.language), whole: code.whole }
      : null;
  }

  private _propose(code: string, grows: boolean): void {
    if (!this.difference) {
      this.difference = new Difference(this.handle, this._base);
    }
    this.difference.propose(code, grows);
  }

  /** Go back to where it can be asked; the words are as they were. */
  private _back(sentence: string): void {
    this._unfollow();
    this._dropDifference();
    this._requestId = null;
    this._set('writing', sentence);
    if (sentence) {
      this._options.announce(sentence);
    }
  }

  private _dropDifference(): void {
    this.difference?.dispose();
    this.difference = null;
  }

  /** What was said of a stop that failed stays until something else is. */
  private get _kept(): string {
    return this.sentence === this._options.words.waits || this.sentence === this._options.words.paused
      ? ''
      : this.sentence;
  }

  private _set(phase: Phase, sentence: string): void {
    if (phase !== this.phase || sentence !== this.sentence || phase === 'coming') {
      this.phase = phase;
      this.sentence = sentence;
      this._changed();
    }
  }

  private _changed(): void {
    this._version += 1;
    [...this._listeners].forEach(listener => listener());
  }

  private _controller: ChatController | null = null;
  private _requestId: string | null = null;
  private _lastAsked: string | null = null;
  private _base = '';
  private _asked = 0;
  private _isOver = false;
  private _version = 0;
  private _endFollow: () => void = () => undefined;
  private _listeners = new Set<() => void>();
}
