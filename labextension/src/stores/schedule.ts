/**
 * Call once, at the next animation frame that is at least `ms` milliseconds away.
 *
 * A tab in the background gets no animation frames, but its text must go on: a timer stands in.
 */
export function schedule(what: () => void, ms = 0): void {
  if (ms > 0) {
    setTimeout(() => schedule(what), ms);
    return;
  }
  let called = false;
  const once = (): void => {
    if (!called) {
      called = true;
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      what();
    }
  };
  const timer = setTimeout(once, 250);
  const frame = requestAnimationFrame(once);
}
