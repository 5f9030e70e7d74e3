import { beforeEach, describe, expect, it } from 'vitest';

import { Slices } from '../../src/text/slices';

let time: number;
let tasks: (() => void)[];
let timers: Set<() => void>;
let done: string[];

beforeEach(() => {
  time = 0;
  tasks = [];
  timers = new Set();
  done = [];
});

const make = (): Slices =>
  new Slices({
    now: () => time,
    later: what => tasks.push(what),
    after: (_ms, what) => {
      timers.add(what);
      return () => timers.delete(what);
    }
  });
const rest = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
/** Let the next task of the page begin. */
async function task(): Promise<void> {
  tasks.shift()?.();
  await rest();
}
const work = (name: string, ms: number) => (): Promise<string> => {
  time += ms;
  done.push(name);
  return Promise.resolve(name);
};

describe('pieces of work', () => {
  it('share a task until it has taken long enough', async () => {
    const slices = make();
    for (const name of ['e', 'd', 'c', 'b', 'a']) {
      void slices.do(work(name, 3));
    }
    expect(done).toEqual([]);
    await task();
    expect(done).toEqual(['a', 'b', 'c']);
    await task();
    expect(done).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(tasks).toEqual([]);
  });

  it('are done one at a time, what was asked for last before what waits', async () => {
    const slices = make();
    let open: () => void = () => undefined;
    void slices.do(async () => {
      done.push('slow');
      await new Promise<void>(resolve => (open = resolve));
      done.push('end');
    });
    await task();
    void slices.do(work('old', 1));
    void slices.do(work('new', 1));
    await rest();
    expect(done).toEqual(['slow']);
    open();
    await rest();
    expect(done).toEqual(['slow', 'end', 'new', 'old']);
    expect(timers.size).toBe(0);
  });

  it('hand on what they came to, and what went wrong', async () => {
    const slices = make();
    const good = slices.do(work('a', 1));
    const bad = slices.do(() => Promise.reject(new Error('no')));
    const failed = expect(bad).rejects.toThrow('no');
    await task();
    expect(await good).toBe('a');
    await failed;
    const later = slices.do(work('b', 1));
    await task();
    expect(await later).toBe('b');
  });

  it('do not wait for ever for one that hangs', async () => {
    const slices = make();
    void slices.do(() => new Promise(() => undefined));
    await task();
    void slices.do(work('next', 1));
    await rest();
    expect(done).toEqual([]);
    [...timers].forEach(what => what());
    await rest();
    expect(done).toEqual(['next']);
  });
});
