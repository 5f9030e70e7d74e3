import { describe, expect, it } from 'vitest';

import { ChatState, PACE } from '../../src/chat/state';
import { ScriptedClock } from '../support';

function make(): { state: ChatState; clock: ScriptedClock; told: number[] } {
  const clock = new ScriptedClock();
  const state = new ChatState(clock, (what, ms) => clock.after(ms, what));
  const told: number[] = [];
  state.subscribe(() => told.push(clock.now()));
  return { state, clock, told };
}

describe('text that grows', () => {
  it('is told of at once after a while, and then at a steady pace', () => {
    const { state, clock, told } = make();
    for (let ms = 0; ms < 190; ms += 10) {
      state.set({}, true);
      clock.advance(10);
    }
    const begun = told[0];
    expect(begun).toBe(1000);
    expect(told.map(at => at - begun)).toEqual([0, PACE, PACE * 2, PACE * 3]);
  });

  it('is told of with anything else, which never waits', () => {
    const { state, clock, told } = make();
    state.set({}, true);
    clock.advance(0);
    state.set({}, true);
    state.set({ lost: true });
    expect(told).toEqual([1000, 1000]);
    clock.advance(1000);
    expect(told.length).toBe(2);
  });
});
