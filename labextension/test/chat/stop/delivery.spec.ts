import { describe, expect, it } from 'vitest';

import { GIVE_UP, StopDelivery } from '../../../src/chat/stop/delivery';
import { ScriptedClock, uuid } from '../../support';

function call(open: () => boolean) {
  const clock = new ScriptedClock();
  const began = clock.now();
  const tries: number[] = [];
  const failures: boolean[] = [];
  const stop = new StopDelivery(
    { type: 'stop', message_id: uuid(1), shown: 3 },
    {
      clock,
      send: () => {
        tries.push(clock.now() - began);
        return open();
      },
      onFailed: reached => failures.push(reached)
    }
  );
  return { clock, tries, failures, stop };
}

describe('a stop', () => {
  it('is tried at 0, 0.3, 1 and 3 s, then said to have failed', () => {
    const { clock, tries, failures } = call(() => false);
    clock.advance(2999);
    expect(failures).toEqual([]);
    clock.advance(1);
    expect(tries).toEqual([0, 300, 1000, 3000]);
    expect(failures).toEqual([false]);
    clock.advance(60000);
    expect(tries).toHaveLength(4);
    expect(failures).toHaveLength(1);
  });

  it('ends with its answer', () => {
    const { clock, tries, failures, stop } = call(() => true);
    clock.advance(500);
    stop.answered();
    expect(clock.waiting).toBe(0);
    clock.advance(60000);
    stop.tryNow();
    expect(tries).toEqual([0, 300]);
    expect(failures).toEqual([]);
  });

  it('waits longer for an answer when it had reached the server', () => {
    const { clock, failures } = call(() => true);
    clock.advance(GIVE_UP - 1);
    expect(failures).toEqual([]);
    clock.advance(1);
    expect(failures).toEqual([true]);
  });

  it('is tried as soon as the connection is back', () => {
    let open = false;
    const { clock, tries, failures, stop } = call(() => open);
    clock.advance(1500);
    open = true;
    stop.tryNow();
    expect(tries).toEqual([0, 300, 1000, 1500]);
    clock.advance(2000);
    expect(failures).toEqual([]);
  });
});
