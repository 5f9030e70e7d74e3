/**
 * Render the pieces of all messages one at a time, and let the page breathe between them.
 *
 * Promises that are resolved at once run one after the other in a single task: a hundred blocks
 * that are each rendered in a few milliseconds would hold a click back for as long as all of them.
 */

/** A task that took longer than this, in milliseconds, is followed by another one. */
const SLICE = 8;
/** What takes longer than this, in milliseconds, waits for something: others go on meanwhile. */
const PATIENCE = 500;

export interface SlicesOptions {
  /** Milliseconds since some fixed moment. */
  now: () => number;
  /** Call in a later task, when the page may have painted and taken input. */
  later: (what: () => void) => void;
  /** Call after so many milliseconds; return what ends it. */
  after: (ms: number, what: () => void) => () => void;
}

export class Slices {
  constructor(private _options: SlicesOptions) {}

  /**
   * Do a piece of work in its turn: what was asked for last comes first, since the newest message
   * is the one that is looked at.
   */
  do<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this._waiting.push(() => work().then(resolve, reject));
      if (!this._running) {
        this._running = true;
        void this._run();
      }
    });
  }

  private async _run(): Promise<void> {
    // what is asked for in one go is known before the first of it begins
    await new Promise<void>(resolve => this._options.later(resolve));
    let began = this._options.now();
    for (let next = this._waiting.pop(); next; next = this._waiting.pop()) {
      await this._patiently(next());
      if (this._options.now() - began >= SLICE) {
        await new Promise<void>(resolve => this._options.later(resolve));
        began = this._options.now();
      }
    }
    this._running = false;
  }

  private _patiently(work: Promise<void>): Promise<void> {
    return new Promise(resolve => {
      const end = this._options.after(PATIENCE, resolve);
      void work.then(() => {
        end();
        resolve();
      });
    });
  }

  private _waiting: (() => Promise<void>)[] = [];
  private _running = false;
}

/** Call in a later task; unlike a timer it is not held back when there are many. */
export function laterTask(what: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    what();
  };
  port2.postMessage(null);
}
