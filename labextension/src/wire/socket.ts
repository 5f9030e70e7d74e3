/**
 * One socket for a browser tab: it reconnects by itself, and follows the chats again from where
 * each one was. It knows frames, and nothing of JupyterLab or of what a page shows.
 */
import { Clock } from './clock';
import { parseServerFrame, refusedBy } from './guards';
import { ClientFrame, Continue, Edit, Regenerate, Send, ServerFrame, Welcome } from './protocol';

/** The part of a WebSocket that is used. */
export interface SocketLike {
  /* eslint-disable @typescript-eslint/no-explicit-any -- a WebSocket's own events do as well */
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  /* eslint-enable @typescript-eslint/no-explicit-any */
  send(data: string): void;
  close(code?: number): void;
}

export type SocketState = 'connecting' | 'connected' | 'waiting' | 'closed';

export interface ChatSocketOptions {
  /** Open a new connection. */
  connect: () => SocketLike;
  clock: Clock;
  /** Called with each frame of the server. */
  onFrame: (frame: ServerFrame) => void;
  /** Called with each change of state. */
  onState: (state: SocketState) => void;
  /** Tell how much of each message of a chat is here already. */
  offsetsOf: (chatId: string) => Record<string, number>;
  /** Tell whether the server owes anything: a reply is being made. */
  expects?: () => boolean;
}

/** A frame that has a reply made. */
export type Request = Send | Continue | Regenerate | Edit;

/** How long to wait before each try to reconnect, in milliseconds; the last one repeats. */
export const BACK_OFF = [300, 1000, 3000, 5000];
/** How long to wait for the welcome, in milliseconds; then the socket is given up. */
export const WELCOME_TIMEOUT = 10000;
/** How many messages an `open` may tell the offsets of. */
const MAX_OFFSETS = 1000;
/** After how long a silence a server that owes an answer is pinged, in milliseconds. */
export const QUIET = 20000;
/** How long it may take to answer the ping, in milliseconds; then the connection is given up. */
export const PATIENCE = 15000;
/** How often the silence is measured, in milliseconds. */
const WATCH = 5000;
/** How long to wait before a chat that could not be opened is asked for again; the last repeats. */
export const OPEN_AGAIN = [1000, 3000, 10000, 30000];
/** The close code of a server that got a frame which is too large. */
const TOO_LARGE = 1009;

export class ChatSocket {
  constructor(options: ChatSocketOptions) {
    this._options = options;
  }

  get state(): SocketState {
    return this._state;
  }

  /** What the server said first; null before the first connection. */
  get welcome(): Welcome | null {
    return this._welcome;
  }

  /** Connect now: also when a try is only due later. */
  connect(): void {
    if (this._state === 'closed') {
      return;
    }
    if (this._socket && this._state !== 'waiting') {
      return;
    }
    this._options.clock.cancel(this._timer);
    let socket: SocketLike;
    try {
      socket = this._options.connect();
    } catch {
      this._retryLater();
      return;
    }
    this._socket = socket;
    this._setState('connecting');
    this._timer = this._options.clock.after(WELCOME_TIMEOUT, () => this._lost(socket));
    socket.onmessage = (event: { data: unknown }) => {
      if (this._socket === socket) {
        this._receive(String(event.data));
      }
    };
    socket.onclose = (event?: { code?: number }) => this._lost(socket, event?.code);
    socket.onerror = () => undefined; // a close follows
  }

  /** Connect no more. */
  close(): void {
    const socket = this._socket;
    this._socket = null;
    this._options.clock.cancel(this._timer);
    this._openings.forEach(one => this._options.clock.cancel(one.timer));
    this._setState('closed');
    this._forget(socket);
  }

  /** Write a frame, if the socket is open; tell whether it was written. */
  send(frame: ClientFrame): boolean {
    if (this._state !== 'connected' || !this._socket) {
      return false;
    }
    try {
      this._socket.send(JSON.stringify(frame));
    } catch {
      return false;
    }
    return true;
  }

  /** Make a new connection: this one seems to be gone without a word. */
  renew(): void {
    if (this._socket && this._state === 'connected') {
      this._lost(this._socket);
      this.connect();
    }
  }

  /**
   * Send what has a reply made, now or when the connection is back.
   *
   * It is sent again on each new connection until the server has answered: sent twice with one
   * `request_id`, it counts once.
   */
  sendPrompt(frame: Request): void {
    this._unanswered.set(frame.request_id, { frame, written: this.send(frame) });
  }

  /**
   * Withdraw a request that the server has not answered yet, so that it is not sent again.
   *
   * @returns true when it had never left this page.
   */
  withdraw(requestId: string): boolean {
    const entry = this._unanswered.get(requestId);
    this._unanswered.delete(requestId);
    return entry !== undefined && !entry.written;
  }

  /** Follow a chat from where it is, now and after each reconnection. */
  follow(chatId: string): void {
    this._followed.add(chatId);
    this._opened(chatId);
    this._open(chatId);
  }

  /** Note that the server has this socket follow a chat (`send` does it). */
  noteFollowed(chatId: string): void {
    this._followed.add(chatId);
  }

  /** Follow a chat no longer. */
  unfollow(chatId: string): void {
    this._opened(chatId);
    if (this._followed.delete(chatId)) {
      this.send({ type: 'close', chat_id: chatId });
    }
  }

  private _open(chatId: string): void {
    const offsets = Object.fromEntries(
      Object.entries(this._options.offsetsOf(chatId)).slice(-MAX_OFFSETS)
    );
    const known = this._epoch !== null && Object.keys(offsets).length > 0;
    const written = this.send(
      known
        ? { type: 'open', chat_id: chatId, offsets, epoch: this._epoch }
        : { type: 'open', chat_id: chatId }
    );
    if (written) {
      const { tries = 0 } = this._openings.get(chatId) ?? {};
      this._openings.set(chatId, { tries, timer: null });
    }
  }

  /** A chat needs not be opened again: it is here, or is not wanted any more. */
  private _opened(chatId: string): void {
    this._options.clock.cancel(this._openings.get(chatId)?.timer);
    this._openings.delete(chatId);
  }

  /** A chat could not be opened: it is wanted again after a pause. */
  private _openLater(chatId: string): void {
    const { tries } = this._openings.get(chatId) as Opening;
    const wait = OPEN_AGAIN[Math.min(tries, OPEN_AGAIN.length - 1)];
    const timer = this._options.clock.after(wait, () => this._open(chatId));
    this._openings.set(chatId, { tries: tries + 1, timer });
  }

  private _receive(raw: string): void {
    this._heard = this._options.clock.now();
    this._asked = null;
    const frame = parseServerFrame(raw);
    if (!frame) {
      return;
    }
    if (frame.type === 'welcome') {
      this._greet(frame);
      return;
    }
    const answered = frame.type === 'accepted' ? frame.request_id : refusedBy(frame);
    if (answered) {
      this._unanswered.delete(answered);
    }
    if (frame.type === 'chat' && (frame.messages || frame.deleted)) {
      this._opened(frame.chat.id);
    } else if (frame.type === 'error' && frame.chat_id && (frame.of ?? 'open') === 'open') {
      if (frame.code === 'unknown_chat') {
        this._opened(frame.chat_id);
      } else if (this._openings.has(frame.chat_id)) {
        this._openLater(frame.chat_id);
      }
    }
    this._options.onFrame(frame);
  }

  private _greet(welcome: Welcome): void {
    this._options.clock.cancel(this._timer);
    this._tries = 0;
    this._welcome = welcome;
    this._state = 'connected';
    this._options.onFrame(welcome);
    // the offsets belong to the epoch that they were received in
    for (const chatId of this._followed) {
      this._open(chatId);
    }
    this._epoch = welcome.epoch;
    for (const entry of this._unanswered.values()) {
      entry.written = this.send(entry.frame) || entry.written;
    }
    this._timer = this._options.clock.after(WATCH, () => this._watch());
    this._options.onState('connected');
  }

  /** See whether the server is still there, while something is to come from it. */
  private _watch(): void {
    const { clock, expects } = this._options;
    const now = clock.now();
    const waits = this._unanswered.size > 0 || this._openings.size > 0 || expects?.() === true;
    if (this._asked !== null && now - this._asked >= PATIENCE) {
      this.renew();
      return;
    }
    if (waits && this._asked === null && now - this._heard >= QUIET) {
      this._asked = now;
      this.send({ type: 'ping' });
    }
    this._timer = clock.after(WATCH, () => this._watch());
  }

  private _lost(socket: SocketLike, code?: number): void {
    if (this._socket !== socket) {
      return;
    }
    this._socket = null;
    this._asked = null;
    this._forget(socket);
    this._openings.forEach(one => this._options.clock.cancel(one.timer));
    this._openings.clear(); // they are opened again with the connection
    this._retryLater();
    if (code === TOO_LARGE) {
      this._refuseLargest();
    }
  }

  /** Refuse the largest request: sent again, the server would close the connection again. */
  private _refuseLargest(): void {
    const written = [...this._unanswered.values()].filter(one => one.written);
    const size = (one: Unanswered): number => JSON.stringify(one.frame).length;
    const largest = written.sort((one, other) => size(other) - size(one))[0];
    if (largest) {
      const { request_id } = largest.frame;
      this._unanswered.delete(request_id);
      this._options.onFrame({ type: 'error', code: 'prompt_too_long', message: '', request_id });
    }
  }

  private _forget(socket: SocketLike | null): void {
    if (!socket) {
      return;
    }
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
    try {
      socket.close();
    } catch {
      // it was closed already
    }
  }

  private _retryLater(): void {
    const wait = BACK_OFF[Math.min(this._tries, BACK_OFF.length - 1)];
    this._tries += 1;
    this._options.clock.cancel(this._timer);
    this._timer = this._options.clock.after(wait, () => this.connect());
    this._setState('waiting');
  }

  private _setState(state: SocketState): void {
    if (this._state !== state) {
      this._state = state;
      this._options.onState(state);
    }
  }

  private _options: ChatSocketOptions;
  private _state: SocketState = 'waiting';
  private _socket: SocketLike | null = null;
  private _welcome: Welcome | null = null;
  private _epoch: string | null = null;
  private _timer: unknown = null;
  private _tries = 0;
  private _followed = new Set<string>();
  private _unanswered = new Map<string, Unanswered>();
  /** The chats whose `open` was not answered, how often it failed, and when it is tried again. */
  private _openings = new Map<string, Opening>();
  /** When the server was last heard of, and when it was asked whether it is there. */
  private _heard = 0;
  private _asked: number | null = null;
}

interface Unanswered {
  readonly frame: Request;
  written: boolean;
}

interface Opening {
  readonly tries: number;
  readonly timer: unknown;
}
