// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Diagrams } from '../../../src/text/diagrams/diagrams';

const frames = (): NodeListOf<Element> =>
  document.querySelectorAll('.jp-StopChat-diagramFrame');

/** Count who hears a message that a window gets. */
function listeners(): number {
  let count = 0;
  const event = new Event('message');
  Object.defineProperty(event, 'source', {
    get: () => {
      count += 1;
      return null;
    }
  });
  window.dispatchEvent(event);
  return count;
}

describe('the frame where diagrams are drawn', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('leaves nothing behind when it is dropped while it opens', async () => {
    const diagrams = new Diagrams(() => Promise.resolve('mermaid'), () => false);
    const drawn = diagrams.draw('graph TD; A-->B');
    await vi.advanceTimersByTimeAsync(1000);
    expect([frames().length, listeners()]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await drawn).toBeNull();
    expect([frames().length, listeners()]).toEqual([0, 0]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not made once it is too late', async () => {
    let deliver: (source: string) => void = () => undefined;
    const diagrams = new Diagrams(() => new Promise(resolve => (deliver = resolve)), () => false);
    const drawn = diagrams.draw('graph TD; A-->B');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await drawn).toBeNull();
    deliver('mermaid');
    await vi.advanceTimersByTimeAsync(1000);
    expect([frames().length, listeners()]).toEqual([0, 0]);
  });

  it('says so soon when the policy of the page lets its script not run', async () => {
    const diagrams = new Diagrams(() => Promise.resolve('mermaid'), () => false);
    const drawn = diagrams.draw('graph TD; A-->B');
    await vi.advanceTimersByTimeAsync(0);
    frames()[0].dispatchEvent(new Event('load'));
    await vi.advanceTimersByTimeAsync(3000);
    expect(await drawn).toBeNull();
    expect(diagrams.isForbidden).toBe(true);
    expect([frames().length, listeners()]).toEqual([0, 0]);
    expect(await diagrams.draw('graph TD; C-->D')).toBeNull();
    expect([frames().length, vi.getTimerCount()]).toEqual([0, 0]);
  });
});
