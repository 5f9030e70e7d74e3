/**
 * Reads the texts that the list of a chat left out, one request at a time: first what is near the
 * view or was unfolded, later the newest of the rest.
 *
 * It imports nothing of JupyterLab or React.
 */
import { Clock } from '../wire/clock';
import { hasText, isWhole, MessageView, missing } from './messages';
import { Error, Message, Pieces, WantedPiece } from '../wire/protocol';
import { visible } from './selectors';
import { ChatSocket } from '../wire/socket';
import { ChatState } from './state';

/** How many texts are asked for at once. */
const MOST = 100;
/** How much text is read ahead, in UTF-16 code units: a page's memory is bounded. */
export const AHEAD = 2 * 1024 * 1024;
/** How long to pause before text is read ahead, in milliseconds: the page has other things to do. */
export const PAUSE = 200;
/** How long to wait after a refusal, in milliseconds; the last one repeats. */
const AGAIN = [1000, 3000, 10000, 30000];

export interface ReadingOptions {
  clock: Clock;
  makeId: () => string;
  /** Tell the person why something could not be had. */
  tell: (error: Error) => void;
}

/** What is being asked for: each piece, and the state that its message was in. */
interface Asked {
  readonly requestId: string;
  readonly states: ReadonlyMap<string, Message>;
  readonly wanted: readonly WantedPiece[];
}

interface Waiting {
  readonly messageId: string;
  readonly details: boolean;
  readonly done: (view: MessageView | null) => void;
}

export class Reading {
  constructor(
    private _state: ChatState,
    private _socket: ChatSocket,
    private _options: ReadingOptions
  ) {}

  /**
   * Read what is missing of a message soon; return a function that cancels that.
   *
   * @param details also what was sent or thought beside its text.
   */
  want(messageId: string, details: boolean): () => void {
    const one = { messageId, details };
    this._near.add(one);
    this.look();
    return () => {
      this._near.delete(one);
    };
  }

  /** Wait until a message is here; null when it cannot be had. */
  whole(messageId: string, details = false): Promise<MessageView | null> {
    return new Promise(done => {
      this._waiting.add({ messageId, details, done });
      this.look();
    });
  }

  /** Ask for what is missing, if nothing is being asked for. */
  look(): void {
    this._answerWaiting();
    const { chat } = this._state.now;
    const isReady = this._socket.state === 'connected' && !chat.loading && chat.resync === 'no';
    if (this._asked || !isReady || !chat.chatId || this._pausedUntil > this._options.clock.now()) {
      return;
    }
    const soon = this._wanted([...this._waiting, ...this._near]);
    if (soon.length > 0) {
      this._ask(chat.chatId, soon);
    } else if (!this._timer && this._ahead().length > 0) {
      this._timer = this._options.clock.after(PAUSE, () => {
        this._timer = null;
        const ahead = this._ahead();
        if (!this._asked && ahead.length > 0 && this._socket.state === 'connected') {
          this._ask(chat.chatId as string, ahead);
        }
      });
    }
  }

  /** Receive an answer; return whether it was for this chat. */
  receive(frame: Pieces | Error): boolean {
    const asked = this._asked;
    if (!asked || frame.request_id !== asked.requestId) {
      return false;
    }
    this._asked = null;
    if (frame.type === 'error') {
      this._refused(frame);
      return true;
    }
    this._failures = 0;
    const isAsIt = (id: string): boolean =>
      this._view(id) !== undefined && this._view(id)?.info === asked.states.get(id);
    // a message that has moved since is asked for again
    const pieces = frame.pieces.filter(piece => isAsIt(piece.message_id));
    this._state.reduce({ type: 'pieces', pieces });
    for (const piece of pieces) {
      const left = missing(this._view(piece.message_id) as MessageView, true);
      const before = asked.wanted.find(one => nameOf(one) === nameOf(piece));
      if (left.some(one => nameOf(one) === nameOf(piece) && one.offset === before?.offset)) {
        this._hopeless.add(nameOf(piece)); // the server does not have it either
      }
    }
    this.look();
    return true;
  }

  /** The connection is another one, or gone: what was asked is not answered any more. */
  reset(): void {
    this._asked = null;
    this._failures = 0;
    this._pausedUntil = 0;
    this._hopeless.clear();
    this._cancel();
  }

  dispose(): void {
    this._cancel();
    this._waiting.forEach(one => one.done(null));
    this._waiting.clear();
    this._near.clear();
  }

  private _refused(frame: Error): void {
    const { clock, tell } = this._options;
    const wait = AGAIN[Math.min(this._failures, AGAIN.length - 1)];
    this._failures += 1;
    this._pausedUntil = clock.now() + wait;
    if (this._waiting.size > 0) {
      tell(frame); // who waits for it to do something with it can try that again
      this._waiting.forEach(one => one.done(null));
      this._waiting.clear();
    }
    this._cancel();
    this._timer = clock.after(wait, () => {
      this._timer = null;
      this.look();
    });
  }

  private _answerWaiting(): void {
    for (const one of this._waiting) {
      const view = this._view(one.messageId);
      const isHere = view && (one.details ? isWhole(view) : hasText(view));
      if (!view || isHere || this._wanted([one]).length === 0) {
        this._waiting.delete(one);
        one.done(isHere ? view : null);
      }
    }
  }

  /** Name what is missing of some messages. */
  private _wanted(from: readonly Pick<Waiting, 'messageId' | 'details'>[]): WantedPiece[] {
    const found = new Map<string, WantedPiece>();
    for (const { messageId, details } of from) {
      const view = this._view(messageId);
      for (const piece of view ? missing(view, details) : []) {
        if (!this._hopeless.has(nameOf(piece))) {
          found.set(nameOf(piece), piece);
        }
      }
      if (found.size >= MOST) {
        break;
      }
    }
    return [...found.values()].slice(0, MOST);
  }

  /** Name the newest texts that are missing, while there is not too much here already. */
  private _ahead(): WantedPiece[] {
    const shown = visible(this._state.now.chat);
    let room = AHEAD;
    const lacking: { messageId: string; details: boolean }[] = [];
    for (let at = shown.length - 1; at >= 0 && room > 0 && lacking.length < MOST; at -= 1) {
      room -= Math.max(shown[at].info.text_length, 1);
      if (!hasText(shown[at])) {
        lacking.push({ messageId: shown[at].id, details: false });
      }
    }
    return this._wanted(lacking);
  }

  private _ask(chatId: string, wanted: readonly WantedPiece[]): void {
    const requestId = this._options.makeId();
    const frame = { type: 'read', request_id: requestId, chat_id: chatId, wanted } as const;
    if (this._socket.send({ ...frame, wanted: [...wanted] })) {
      const states = new Map<string, Message>();
      for (const { message_id } of wanted) {
        states.set(message_id, (this._view(message_id) as MessageView).info);
      }
      this._asked = { requestId, states, wanted };
    }
  }

  private _view(messageId: string): MessageView | undefined {
    return this._state.now.chat.messages.find(view => view.id === messageId);
  }

  private _cancel(): void {
    this._options.clock.cancel(this._timer);
    this._timer = null;
  }

  private _near = new Set<{ messageId: string; details: boolean }>();
  private _waiting = new Set<Waiting>();
  /** The texts that the server does not have either. */
  private _hopeless = new Set<string>();
  private _asked: Asked | null = null;
  private _timer: unknown = null;
  private _failures = 0;
  private _pausedUntil = 0;
}

const nameOf = (one: Pick<WantedPiece, 'message_id' | 'part' | 'at'>): string =>
  `${one.message_id} ${one.part} ${one.at}`;
