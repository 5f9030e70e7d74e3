import { describe, expect, it } from 'vitest';

import * as replies from '../../src/chat/replies';
import { Message, ServerFrame } from '../../src/wire/protocol';
import { CHAT, prompt, uuid } from '../support';
import { chatFrame, delta, message, PROMPT, REPLY, run, started, stop, text } from './oneChat';

describe('a chat that is listed in several frames', () => {
  const of = (...numbers: number[]): Message[] =>
    numbers.map(n => prompt(n, `m${n}`, n > 1 ? { reply_to: uuid(n - 1) } : {}));
  const first = (messages: Message[], earlier: number): ServerFrame =>
    ({ ...chatFrame(messages), earlier }) as ServerFrame;
  const more = (messages: Message[], earlier: number): ServerFrame => ({
    type: 'messages',
    chat_id: CHAT,
    messages,
    earlier
  });
  const listed = (state: replies.ChatView) => state.messages.map(one => parseInt(one.id.slice(-4), 16));

  it('is in order, and keeps what is accepted meanwhile behind it (B5)', () => {
    let state = run(replies.emptyChat(CHAT), first(of(5, 6), 4), more(of(3, 4), 2));
    expect(listed(state)).toEqual([3, 4, 5, 6]);
    state = run(state, message(of(7)[0]), more(of(1, 2), 0));
    expect(listed(state)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('drops what is listed no longer once the list is complete, and not before', () => {
    let state = run(replies.emptyChat(CHAT), chatFrame(of(1, 2, 3, 4)));
    state = run(state, first(of(4), 2));
    expect(listed(state)).toEqual([1, 2, 3, 4]);
    expect(listed(run(state, more(of(1, 3), 0)))).toEqual([1, 3, 4]);
    // one that is begun anew has another end
    expect(listed(run(state, first(of(3, 4), 0)))).toEqual([3, 4]);
  });

  it('takes nothing back of what is here, when it comes without text (B5)', () => {
    const whole = { ...REPLY, text: 'all of it', text_length: 9, state: 'completed' as const };
    const bare = { ...whole, text: '' };
    let state = run(replies.emptyChat(CHAT), chatFrame([PROMPT, whole]), chatFrame([PROMPT, bare]));
    expect(text(state, 2)).toBe('all of it');
    expect(state.resync).toBe('no');
    const shorter = { ...bare, text_length: 3 };
    state = run(state, chatFrame([PROMPT, shorter]));
    expect(text(state, 2)).toBe('');
  });

  it('lets nothing grow back behind a Stop, also in a list (B4)', () => {
    const end = { ...REPLY, state: 'interrupted' as const, text: 'shown and more', text_length: 14 };
    let state = run(stop(run(started(), delta(2, 0, 'shown'))), message(end));
    expect(text(state, 2)).toBe('shown');
    state = run(state, chatFrame([PROMPT, { ...end, text: ' and more', text_offset: 5 }]));
    expect(text(state, 2)).toBe('shown');
  });
});

describe('text that was a thought', () => {
  const thought = (id: number, text_length: number): ServerFrame => ({
    type: 'thought',
    message_id: uuid(id),
    text_length
  });
  const seen = (state: replies.ChatView): [string | undefined, string | undefined] => [
    text(state, 2),
    state.messages.find(view => view.id === uuid(2))?.reasoning
  ];

  it('moves to the reasoning at once, and deltas double nothing of it (T7)', () => {
    let state = run(started(), delta(2, 0, 'Hm, '), delta(2, 4, 'so.'), thought(2, 0));
    expect(seen(state)).toEqual(['', 'Hm, so.']);
    state = run(state, delta(2, 0, 'Hm, so.', 'reasoning'), delta(2, 0, 'Yes'));
    expect(seen(state)).toEqual(['Yes', 'Hm, so.']);
  });

  it('leaves what an agent had said before (T7)', () => {
    const state = run(started(), delta(2, 0, 'I look. Hm.'), thought(2, 8));
    expect(seen(state)).toEqual(['I look. ', 'Hm.']);
  });

  it('moves also behind a Stop that was pressed meanwhile (T7, B4)', () => {
    let state = stop(run(started(), delta(2, 0, 'Hm, so.')), 3);
    state = run(state, thought(2, 0), delta(2, 0, 'Yes'));
    expect(seen(state)).toEqual(['', 'Hm, so.']);
    const end = { ...REPLY, state: 'interrupted' as const, text_length: 0 };
    expect(seen(run(state, message(end)))).toEqual(['', 'Hm, so.']);
  });

  it('is told of again to who was not there meanwhile (T7, B5)', () => {
    let state = run(started(), delta(2, 0, 'Hm, '));
    state = run(state, chatFrame([PROMPT, { ...REPLY, state: 'generating', reasoning: '' }]));
    expect(seen(run(state, thought(2, 0)))).toEqual(['', 'Hm, ']);
    state = run(state, thought(2, 0), delta(2, 0, 'Hm, so.', 'reasoning'), delta(2, 0, 'Yes'));
    expect(seen(state)).toEqual(['Yes', 'Hm, so.']);
    const whole = { ...REPLY, state: 'completed' as const, text: 'Yes', text_length: 3 };
    const listedAgain = chatFrame([PROMPT, { ...whole, reasoning: 'Hm, so.' }]);
    state = run(started(), delta(2, 0, 'Hm, '), listedAgain);
    expect(seen(state)).toEqual(['Yes', 'Hm, so.']);
    expect(seen(run(state, thought(2, 0)))).toEqual(['Yes', 'Hm, so.']);
  });

  it('stands behind what was thought before it, which comes later (T7)', () => {
    const state = run(started(), delta(2, 0, 'so.'), thought(2, 0));
    const told = run(state, delta(2, 0, 'Hm, so', 'reasoning'), delta(2, 6, '.', 'reasoning'));
    expect(seen(told)).toEqual(['', 'Hm, so.']);
  });
});
