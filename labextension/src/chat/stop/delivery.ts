/**
 * The delivery of one stop to the server: it is sent again until it is answered, or given up.
 *
 * A stop is safe to send twice (the second joins the first), so each try sends it again.
 */
import { Clock } from '../../wire/clock';
import { Stop } from '../../wire/protocol';

/** When to try, in milliseconds after the press. */
export const TRIES = [0, 300, 1000, 3000];
/** When a connection without an answer is replaced, in milliseconds after the press. */
export const SILENT = 5000;
/** How long to wait for an answer to a try that was sent, in milliseconds after the press. */
export const GIVE_UP = 8000;
/** For so much longer both are waited for where another server may have to be asked. */
export const ASKS_ANOTHER = 5000;

export interface StopDeliveryOptions {
  clock: Clock;
  /** Send the frame; tell whether it was written to an open socket. */
  send: (frame: Stop) => boolean;
  /** Called once when it is given up; `reached` tells whether any try was written. */
  onFailed: (reached: boolean) => void;
  /** Called once when a try was written, and nothing came: make a new connection. */
  onSilent?: () => void;
  /** The server may have to ask another one, which makes what is stopped. */
  asksAnother?: boolean;
}

export class StopDelivery {
  constructor(
    readonly frame: Stop,
    private _options: StopDeliveryOptions
  ) {
    for (const ms of TRIES.slice(1)) {
      this._timers.push(_options.clock.after(ms, () => this._try(ms === TRIES.at(-1))));
    }
    const more = _options.asksAnother ? ASKS_ANOTHER : 0;
    const renew = (): unknown => this._reached && _options.onSilent?.();
    this._timers.push(_options.clock.after(SILENT + more, renew));
    this._timers.push(_options.clock.after(GIVE_UP + more, () => this._fail()));
    this._try(false);
  }

  /** Try now: the connection is back. */
  tryNow(): void {
    if (!this._done) {
      this._try(false);
    }
  }

  /** The server has answered, or the message has ended. */
  answered(): void {
    this._end();
  }

  private _try(last: boolean): void {
    this._reached = this._options.send(this.frame) || this._reached;
    if (last && !this._reached) {
      this._fail();
    }
  }

  private _fail(): void {
    if (!this._done) {
      this._end();
      this._options.onFailed(this._reached);
    }
  }

  private _end(): void {
    this._done = true;
    this._timers.forEach(timer => this._options.clock.cancel(timer));
    this._timers = [];
  }

  private _done = false;
  private _reached = false;
  private _timers: unknown[] = [];
}
