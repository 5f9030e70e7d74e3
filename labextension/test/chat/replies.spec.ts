import { describe, expect, it } from 'vitest';

import { Delta, Message, ServerFrame } from '../../src/wire/protocol';
import * as replies from '../../src/chat/replies';
import * as selectors from '../../src/chat/selectors';
import { CHAT, prompt, reply, uuid } from '../support';

const chatFrame = (messages?: Message[], change = {}): ServerFrame => ({
  type: 'chat',
  chat: { id: CHAT, owner: 'o', created_at: '', updated_at: '', state: 'idle', ...change },
  messages
});
const delta = (id: number, offset: number, text: string, part: Delta['part'] = 'text') =>
  ({ type: 'delta', message_id: uuid(id), offset, text, part }) as const;
const message = (value: Message): ServerFrame => ({ type: 'message', message: value });

function run(state: replies.ChatView, ...frames: ServerFrame[]): replies.ChatView {
  return frames.reduce((now, frame) => replies.reduce(now, { type: 'frame', frame }), state);
}
const text = (state: replies.ChatView, id: number): string | undefined =>
  state.messages.find(view => view.id === uuid(id))?.text;

const U = prompt(1, 'question', { request_id: uuid(9) });
const A = reply(2, { reply_to: uuid(1), request_id: uuid(9) });
const asked = (): replies.ChatView =>
  replies.reduce(replies.emptyChat(), {
    type: 'request',
    requestId: uuid(9),
    kind: 'send',
    body: 'question'
  });
const accepted: ServerFrame = {
  type: 'accepted',
  request_id: uuid(9),
  chat_id: CHAT,
  user_message: U,
  message: A
};
const started = (): replies.ChatView => run(asked(), accepted);
const stop = (state: replies.ChatView, shown?: number) =>
  replies.reduce(state, { type: 'stop', messageId: uuid(2), shown });

describe('between Enter and the answer', () => {
  it('aims Stop at the request, then at the message (L2)', () => {
    expect(selectors.target(asked())).toMatchObject({ requestId: uuid(9), shown: 0 });
    expect(selectors.target(started())).toMatchObject({ messageId: uuid(2) });
    expect(selectors.buttonMode(replies.emptyChat())).toBe('send');
    expect(selectors.buttonMode(asked())).toBe('stop');
  });

  it('freezes a reply that is accepted after Stop was pressed', () => {
    let state = replies.reduce(asked(), { type: 'stop', requestId: uuid(9) });
    expect(selectors.buttonMode(state)).toBe('stopping');
    state = run(state, accepted, delta(2, 0, 'late'));
    expect(text(state, 2)).toBe('');
    expect(selectors.buttonMode(state)).toBe('stopping');
  });

  it('knows a request again that was stopped before it arrived (S6)', () => {
    let state = replies.reduce(asked(), { type: 'stop', requestId: uuid(9) });
    state = run(state, {
      type: 'stop_result',
      request_id: uuid(9),
      results: [{ outcome: 'remembered' }]
    });
    expect(selectors.isBusy(state)).toBe(false);
    const end = { ...A, state: 'interrupted' as const };
    state = run(state, { ...(accepted as object), message: end } as ServerFrame);
    expect(state.chatId).toBe(CHAT);
    expect(selectors.visible(state)).toHaveLength(2);
    expect(selectors.isBusy(state)).toBe(false);
  });

  it('remembers only so many of them, and none that has arrived', () => {
    const stopped = (state: replies.ChatView, n: number) => {
      const requestId = uuid(n);
      const request = { type: 'request', requestId, kind: 'send', body: 'x' } as const;
      return run(replies.reduce(replies.reduce(state, request), { type: 'stop', requestId }), {
        type: 'stop_result',
        request_id: requestId,
        results: [{ outcome: 'remembered' }]
      });
    };
    let state = replies.emptyChat();
    for (let n = 1000; n < 1000 + 2 * replies.MOST_STOPPED; n += 1) {
      state = stopped(state, n);
    }
    expect(state.stopped).toHaveLength(replies.MOST_STOPPED);
    state = stopped(state, 9);
    expect(state.stopped).toContain(uuid(9));
    state = run(state, accepted);
    expect(state.stopped).not.toContain(uuid(9));
    expect(selectors.buttonMode(state)).toBe('stopping');
  });

  it('does not take another chat for its own', () => {
    expect(run(replies.emptyChat(), accepted).messages).toEqual([]);
    expect(run(replies.emptyChat(uuid(77)), accepted).messages).toEqual([]);
  });

  it('lets go of a request that was refused', () => {
    const state = run(asked(), {
      type: 'error',
      code: 'busy',
      message: 'Busy.',
      request_id: uuid(9)
    });
    expect(selectors.isBusy(state)).toBe(false);
    expect(state.notice).toEqual({ code: 'busy', text: 'Busy.' });
  });
});

describe('deltas', () => {
  it('append, and what is there is not doubled', () => {
    const state = run(started(), delta(2, 0, 'abc'), delta(2, 3, 'def'), delta(2, 3, 'def'));
    expect(text(state, 2)).toBe('abcdef');
    expect(text(run(state, delta(2, 1, 'bc')), 2)).toBe('abcdef');
    expect(text(run(state, delta(2, 4, 'efgh')), 2)).toBe('abcdefgh');
  });

  it('give the same text however they overlap', () => {
    const whole = 'Grüße 👋 an alle';
    for (let from = 0; from <= whole.length; from += 1) {
      for (let to = from; to <= whole.length; to += 1) {
        const state = run(
          started(),
          delta(2, 0, whole.slice(0, to)),
          delta(2, from, whole.slice(from))
        );
        expect(text(state, 2)).toBe(whole);
        expect(state.resync).toBe('no');
      }
    }
  });

  it('ask for what is missing at a gap, once', () => {
    let state = run(started(), delta(2, 0, 'abc'), delta(2, 5, 'f'));
    expect(text(state, 2)).toBe('abc');
    expect(state.resync).toBe('wanted');
    state = replies.reduce(state, { type: 'resync_asked' });
    state = run(state, delta(2, 6, 'g'));
    expect(state.resync).toBe('asked');
    const tail = { ...A, text: 'defg', text_offset: 3, text_length: 7 };
    state = run(state, chatFrame([U, tail]));
    expect(text(state, 2)).toBe('abcdefg');
    expect(state.resync).toBe('no');
  });

  it('keep messages that they do not touch as they are', () => {
    const before = started();
    const after = run(before, delta(2, 0, 'a'));
    expect(after.messages[0]).toBe(before.messages[0]);
    expect(run(before, delta(99, 0, 'a'))).toBe(before);
  });

  it('keep reasoning that is there while deltas bring it again (B5)', () => {
    const told = message(reply(2, { reply_to: uuid(1), request_id: uuid(9), reasoning: '' }));
    const again = run(started(), delta(2, 0, 'hm', 'reasoning'), told);
    expect(again.messages[1].reasoning).toBe('hm');
    const whole = run(again, delta(2, 0, 'h', 'reasoning'), delta(2, 1, 'mm', 'reasoning'));
    expect(whole.messages[1].reasoning).toBe('hmm');
  });

  it('carry reasoning apart from the text (V8)', () => {
    const state = run(started(), delta(2, 0, 'hm', 'reasoning'), delta(2, 0, 'a'));
    expect(state.messages[1]).toMatchObject({ reasoning: 'hm', text: 'a' });
  });
});

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
        ...A,
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
      ...A,
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
    const state = run(frozen(), chatFrame([U, { ...A, text: 'shown and more', text_length: 14 }]));
    expect(text(state, 2)).toBe('shown');
    expect(selectors.offsets(state)[uuid(2)]).toBe(14);
  });
});

describe('the end of a message', () => {
  it('cuts a page that shows more, where another tab pressed Stop', () => {
    const end = { ...A, state: 'interrupted' as const, text: '', text_offset: 3, text_length: 3 };
    expect(text(run(started(), delta(2, 0, 'abcdef'), message(end)), 2)).toBe('abc');
  });

  it('asks for text that it lacks', () => {
    const end = { ...A, state: 'completed' as const, text: '', text_offset: 9, text_length: 9 };
    expect(run(started(), delta(2, 0, 'abc'), message(end)).resync).toBe('wanted');
  });

  it('does not shorten a reply that goes on', () => {
    const stale = { ...A, text: 'ab', text_length: 2 };
    expect(text(run(started(), delta(2, 0, 'abcd'), message(stale)), 2)).toBe('abcd');
  });

  it('is followed by more text when it is gone on from', () => {
    const end = { ...A, state: 'interrupted' as const, text: 'abc', text_length: 3 };
    let state = run(stop(run(started(), delta(2, 0, 'abc'))), message(end));
    const again = { ...A, state: 'generating' as const, text: '', text_offset: 3, text_length: 3 };
    state = run(state, message(again), delta(2, 3, 'def'));
    expect(text(state, 2)).toBe('abcdef');
    expect(selectors.buttonMode(state)).toBe('stop');
  });
});

describe('what is visible', () => {
  const done = (m: Message, change: Partial<Message> = {}): Message => ({
    ...m,
    state: 'completed',
    ...change
  });
  const ids = (state: replies.ChatView) =>
    selectors.visible(state).map(view => parseInt(view.id.slice(-4), 16));
  const open = (...messages: Message[]) => run(replies.emptyChat(CHAT), chatFrame(messages));

  it('is the newest version of a reply that was made anew', () => {
    const B = reply(3, { reply_to: uuid(1), version_of: uuid(2), state: 'completed' });
    expect(ids(open(U, done(A), B))).toEqual([1, 3]);
  });

  it('is the newest version of a prompt that was changed, without what followed the old one', () => {
    const V = prompt(4, 'changed', { version_of: uuid(1) });
    expect(ids(open(U, done(A), V, reply(5, { reply_to: uuid(4) })))).toEqual([4, 5]);
  });

  it('is not a turn that was discarded (V4, S2)', () => {
    const stopReceipt = {
      reason: 'user' as const,
      requested_at: '',
      provider: 'closed' as const,
      discarded: true
    };
    const gone = reply(7, { reply_to: uuid(6), state: 'interrupted', stop: stopReceipt });
    const second = prompt(6, 'second', { reply_to: uuid(2) });
    expect(ids(open(U, done(A), second, gone))).toEqual([1, 2]);
    const version = reply(8, {
      reply_to: uuid(1),
      version_of: uuid(2),
      state: 'interrupted',
      stop: stopReceipt
    });
    expect(ids(open(U, done(A), version))).toEqual([1, 2]);
  });

  it('drops what the server no longer lists', () => {
    expect(ids(run(open(U, done(A)), chatFrame([U])))).toEqual([1]);
    expect(ids(run(open(U, done(A)), chatFrame(undefined, { title: 'T' })))).toEqual([1, 2]);
  });

  it('survives a circle', () => {
    const loop = prompt(1, 'x', { reply_to: uuid(2) });
    expect(ids(open(loop, done(A)))).toEqual([1, 2]);
  });
});

describe('the queue', () => {
  const second = prompt(3, 'second', { reply_to: uuid(2) });
  const waits = reply(4, { reply_to: uuid(3), state: 'queued' });

  it('is behind the reply that is being made, and Stop does not aim at it (B10)', () => {
    const state = run(replies.emptyChat(CHAT), chatFrame([U, A, second, waits]));
    expect(selectors.queued(state).map(view => view.id)).toEqual([uuid(4)]);
    expect(selectors.target(state)?.messageId).toBe(uuid(2));
  });

  it('keeps the button at Send while it is paused', () => {
    const end = { ...A, state: 'interrupted' as const };
    const state = run(
      replies.emptyChat(CHAT),
      chatFrame([U, end, second, waits], { state: 'paused' })
    );
    expect(selectors.queued(state)).toHaveLength(1);
    expect(selectors.buttonMode(state)).toBe('send');
  });

  it('is not where a reply is that is about to begin', () => {
    const state = run(replies.emptyChat(CHAT), chatFrame([U, { ...A, state: 'queued' }]));
    expect(selectors.queued(state)).toEqual([]);
    expect(selectors.buttonMode(state)).toBe('stop');
  });
});

describe('tools', () => {
  it('show one line a call, whose state changes', () => {
    const tool = (state: 'running' | 'completed'): ServerFrame => ({
      type: 'tool',
      message_id: uuid(2),
      call_id: 'c',
      name: 'search',
      state
    });
    const state = run(started(), tool('running'), tool('completed'));
    expect(state.messages[1].info.tools).toEqual([
      { call_id: 'c', name: 'search', state: 'completed' }
    ]);
  });
});

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
    const whole = { ...A, text: 'all of it', text_length: 9, state: 'completed' as const };
    const bare = { ...whole, text: '' };
    let state = run(replies.emptyChat(CHAT), chatFrame([U, whole]), chatFrame([U, bare]));
    expect(text(state, 2)).toBe('all of it');
    expect(state.resync).toBe('no');
    const shorter = { ...bare, text_length: 3 };
    state = run(state, chatFrame([U, shorter]));
    expect(text(state, 2)).toBe('');
  });

  it('lets nothing grow back behind a Stop, also in a list (B4)', () => {
    const end = { ...A, state: 'interrupted' as const, text: 'shown and more', text_length: 14 };
    let state = run(stop(run(started(), delta(2, 0, 'shown'))), message(end));
    expect(text(state, 2)).toBe('shown');
    state = run(state, chatFrame([U, { ...end, text: ' and more', text_offset: 5 }]));
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
    const end = { ...A, state: 'interrupted' as const, text_length: 0 };
    expect(seen(run(state, message(end)))).toEqual(['', 'Hm, so.']);
  });

  it('is told of again to who was not there meanwhile (T7, B5)', () => {
    let state = run(started(), delta(2, 0, 'Hm, '));
    state = run(state, chatFrame([U, { ...A, state: 'generating', reasoning: '' }]));
    expect(seen(run(state, thought(2, 0)))).toEqual(['', 'Hm, ']);
    state = run(state, thought(2, 0), delta(2, 0, 'Hm, so.', 'reasoning'), delta(2, 0, 'Yes'));
    expect(seen(state)).toEqual(['Yes', 'Hm, so.']);
    const whole = { ...A, state: 'completed' as const, text: 'Yes', text_length: 3 };
    state = run(started(), delta(2, 0, 'Hm, '), chatFrame([U, { ...whole, reasoning: 'Hm, so.' }]));
    expect(seen(state)).toEqual(['Yes', 'Hm, so.']);
    expect(seen(run(state, thought(2, 0)))).toEqual(['Yes', 'Hm, so.']);
  });
});
