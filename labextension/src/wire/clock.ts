/** What the time-dependent parts ask for the time, so that tests can script it. */
export interface Clock {
  /** Milliseconds since some fixed moment. */
  now(): number;
  /** Call `what` once, `ms` milliseconds from now; return the handle for `cancel`. */
  after(ms: number, what: () => void): unknown;
  /** Cancel an `after`. */
  cancel(handle: unknown): void;
}

/** The browser's clock. */
export const browserClock: Clock = {
  now: () => performance.now(),
  after: (ms, what) => setTimeout(what, ms),
  cancel: handle => clearTimeout(handle as ReturnType<typeof setTimeout>)
};
