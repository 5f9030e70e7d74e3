import { describe, expect, it } from 'vitest';

import * as replies from '../../src/chat/replies';
import * as selectors from '../../src/chat/selectors';
import { uuid } from '../support';
import { chatFrame, delta, message, PROMPT, REPLY, run, started, stop, text } from './oneChat';

describe('the freeze', () => {
  const frozen = () => stop(run(started(), delta(2, 0, 'shown')));

  it('holds from the press of Stop on (S1)', () => {
    const state = run(frozen(), delta(2, 5, ' and late'), delta(2, 0, 'x', 'reasoning'));
    expect(text(state, 2)).toBe('shown');
    expect(state.messages[1].reasoning).toBe('');
    expect(selectors.buttonMode(state)).toBe('stopping');
  });

  it('cuts to what was on the screen', () => {
    const state = stop(run(started(), delta(2, 0, 'shown and not yet')), 5);
    expect(text(state, 2)).toBe('shown');
  });

  it('lets nothing grow back (B4)', () => {
    for (const length of [0, 3, 5, 9]) {
      const end = {
        ...REPLY,
        state: 'interrupted' as const,
        text: 'shown and'.slice(0, length),
        text_length: length
      };
      const state = run(frozen(), delta(2, 5, ' and'), message(end));
      expect(text(state, 2)).toBe('shown'.slice(0, Math.min(5, length)));
      expect(selectors.buttonMode(state)).toBe('send');
      expect(text(run(state, delta(2, 9, 'zombie'), delta(2, 5, 'z')), 2)?.length).toBe(
        Math.min(5, length)
      );
    }
  });

  it('gives way when the reply was complete after all', () => {
    const end = {
      ...REPLY,
      state: 'completed' as const,
      text: '',
      text_offset: 9,
      text_length: 9
    };
    const state = run(frozen(), delta(2, 5, ' and'), message(end));
    expect(text(state, 2)).toBe('shown and');
    expect(state.resync).toBe('no');
  });

  it('ends when Stop did not reach the server, and says so', () => {
    let state = run(frozen(), delta(2, 5, ' and'));
    state = replies.reduce(state, { type: 'stop_failed', messageId: uuid(2), why: 'no' });
    expect(text(state, 2)).toBe('shown and');
    expect(state.messages[1].stopFailed).toBe('no');
    expect(selectors.buttonMode(state)).toBe('stop');
    expect(stop(state).messages[1].stopFailed).toBeNull();
  });

  it('holds over a reconnection', () => {
    const longer = { ...REPLY, text: 'shown and more', text_length: 14 };
    const state = run(frozen(), chatFrame([PROMPT, longer]));
    expect(text(state, 2)).toBe('shown');
    expect(selectors.offsets(state)[uuid(2)]).toBe(14);
  });
});

describe('the end of a message', () => {
  it('cuts a page that shows more, where another tab pressed Stop', () => {
    const end = { ...REPLY, state: 'interrupted' as const, text: '', text_offset: 3, text_length: 3 };
    expect(text(run(started(), delta(2, 0, 'abcdef'), message(end)), 2)).toBe('abc');
  });

  it('asks for text that it lacks', () => {
    const end = { ...REPLY, state: 'completed' as const, text: '', text_offset: 9, text_length: 9 };
    expect(run(started(), delta(2, 0, 'abc'), message(end)).resync).toBe('wanted');
  });

  it('does not shorten a reply that goes on', () => {
    const stale = { ...REPLY, text: 'ab', text_length: 2 };
    expect(text(run(started(), delta(2, 0, 'abcd'), message(stale)), 2)).toBe('abcd');
  });

  it('is followed by more text when it is gone on from', () => {
    const end = { ...REPLY, state: 'interrupted' as const, text: 'abc', text_length: 3 };
    let state = run(stop(run(started(), delta(2, 0, 'abc'))), message(end));
    const again = { ...REPLY, state: 'generating' as const, text: '', text_offset: 3, text_length: 3 };
    state = run(state, message(again), delta(2, 3, 'def'));
    expect(text(state, 2)).toBe('abcdef');
    expect(selectors.buttonMode(state)).toBe('stop');
  });
});
