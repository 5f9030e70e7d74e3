/** N14, N9: what tools ask of a page is done once, and its answer is kept until it is not wanted. */
import { beforeEach, describe, expect, it, vi } from 'vitest';

import {
  MOST_CALLS,
  NotWanted,
  PageCalls,
  PageFailure,
  PageWork
} from '../../../src/chat/tools/pageCalls';
import { ClientFrame, ServerFrame, ToolAnswer } from '../../../src/wire/protocol';
import { reply, ScriptedClock, uuid } from '../../support';

let clock: ScriptedClock;
let sent: ClientFrame[];
let posted: [string, object][];
let isOnline: boolean;
let stopped: Set<string>;
let refusals: number;
let begun: (() => void)[];
let settle: { done: (result: unknown) => void; fail: (error: Error) => void }[];
let calls: PageCalls;

const work: PageWork = (_operation, _args, begin) => {
  begun.push(begin);
  return new Promise((done, fail) => settle.push({ done, fail }));
};
const settled = async (): Promise<void> => {
  for (let turns = 0; turns < 5; turns += 1) {
    await Promise.resolve();
  }
};
const asks = (call = 1, operation = 'edit'): void =>
  calls.receive({
    type: 'tool_request',
    call: uuid(call),
    message_id: uuid(2),
    operation,
    args: {}
  });
const cancels = (call = 1): void => calls.receive({ type: 'tool_cancel', call: uuid(call) });
const welcome = { type: 'welcome' } as ServerFrame;
const answers = (): ToolAnswer[] =>
  sent.filter((frame): frame is ToolAnswer => frame.type === 'tool_answer');

beforeEach(() => {
  clock = new ScriptedClock();
  [sent, posted, begun, settle, stopped, isOnline, refusals] = [[], [], [], [], new Set(), true, 0];
  calls = new PageCalls({
    clock,
    work,
    send: frame => (isOnline && sent.push(frame), isOnline),
    post: (call, answer) => {
      posted.push([call, answer]);
      return (refusals -= 1) < 0 ? Promise.resolve() : Promise.reject(new Error('away'));
    },
    isStopped: id => stopped.has(id)
  });
});

describe('what a tool asks of the page', () => {
  it('is taken at once, done once, and answered again until nobody waits (N14)', async () => {
    asks();
    expect(sent).toEqual([{ type: 'tool_taken', call: uuid(1) }]);
    asks();
    expect(settle).toHaveLength(1);
    isOnline = false;
    settle[0].done({ done: true });
    await settled();
    isOnline = true;
    calls.receive(welcome);
    asks();
    expect(answers()).toEqual(
      Array(2).fill({ type: 'tool_answer', call: uuid(1), result: '{"done":true}' })
    );
    cancels();
    calls.receive(welcome);
    asks(); // a frame that comes twice begins nothing
    expect(answers()).toHaveLength(2);
    expect(settle).toHaveLength(1);
  });

  it('is forgotten with its reply', async () => {
    asks();
    settle[0].done(1);
    await settled();
    calls.receive({ type: 'message', message: reply(2, { state: 'interrupted' }) });
    calls.receive(welcome);
    expect(answers()).toHaveLength(1);
  });

  it('begins nothing once it was cancelled, or Stop was pressed here (N9)', async () => {
    asks();
    expect(() => begun[0]()).not.toThrow();
    stopped.add(uuid(2));
    expect(() => begun[0]()).toThrow(NotWanted);
    settle[0].fail(new NotWanted());
    await settled();
    asks(2);
    await settled();
    expect(settle).toHaveLength(1);
    stopped.clear();
    asks(3);
    cancels(3);
    expect(() => begun[1]()).toThrow(NotWanted);
    settle[1].done(1);
    await settled();
    cancels(4);
    asks(4);
    expect(settle).toHaveLength(2);
    expect(answers()).toEqual([]);
  });

  it('that cannot be done is answered with why', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    [1, 2].forEach(call => asks(call));
    settle[0].fail(new PageFailure('changed', { source: 'x' }));
    settle[1].fail(new Error('with a secret'));
    await settled();
    expect(answers()).toEqual([
      { type: 'tool_answer', call: uuid(1), error: 'changed', result: '{"source":"x"}' },
      { type: 'tool_answer', call: uuid(2), error: 'failed' }
    ]);
  });

  it('is answered by HTTP where it is long, in bytes, and again while nobody answers', async () => {
    asks(1);
    refusals = 5;
    settle[0].done('ä'.repeat(25_000));
    await settled();
    expect(answers()).toEqual([]);
    for (const wait of [1000, 3000, 10_000]) {
      clock.advance(wait);
      await settled();
    }
    expect(posted).toHaveLength(4);
    calls.receive(welcome);
    await settled();
    clock.advance(1000);
    await settled();
    expect(posted).toHaveLength(6); // it came
    expect(Object.keys(posted[0][1])).toEqual(['result']);
    calls.receive(welcome);
    await settled();
    expect(posted).toHaveLength(6);
    expect(clock.waiting).toBe(0);
  });

  it('is refused where it would be too much, and not everything is remembered', async () => {
    asks(1);
    settle[0].done('x'.repeat(17 * 1024 * 1024));
    await settled();
    expect(answers()).toEqual([{ type: 'tool_answer', call: uuid(1), error: 'too_large' }]);
    for (let call = 2; call < MOST_CALLS + 10; call += 1) {
      asks(call);
    }
    sent = [];
    calls.receive(welcome);
    expect(sent).toHaveLength(MOST_CALLS);
  });
});
