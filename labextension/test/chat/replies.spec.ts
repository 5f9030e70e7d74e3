import { describe, expect, it } from 'vitest';

import * as replies from '../../src/chat/replies';
import * as selectors from '../../src/chat/selectors';
import { Message, ServerFrame } from '../../src/wire/protocol';
import { CHAT, prompt, reply, uuid } from '../support';
import {
  accepted,
  asked,
  chatFrame,
  delta,
  message,
  PROMPT,
  REPLY,
  run,
  started,
  text
} from './oneChat';

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
    const end = { ...REPLY, state: 'interrupted' as const };
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
    const tail = { ...REPLY, text: 'defg', text_offset: 3, text_length: 7 };
    state = run(state, chatFrame([PROMPT, tail]));
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
    expect(ids(open(PROMPT, done(REPLY), B))).toEqual([1, 3]);
  });

  it('is the newest version of a prompt that was changed, without what followed the old one', () => {
    const V = prompt(4, 'changed', { version_of: uuid(1) });
    expect(ids(open(PROMPT, done(REPLY), V, reply(5, { reply_to: uuid(4) })))).toEqual([4, 5]);
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
    expect(ids(open(PROMPT, done(REPLY), second, gone))).toEqual([1, 2]);
    const version = reply(8, {
      reply_to: uuid(1),
      version_of: uuid(2),
      state: 'interrupted',
      stop: stopReceipt
    });
    expect(ids(open(PROMPT, done(REPLY), version))).toEqual([1, 2]);
  });

  it('drops what the server no longer lists', () => {
    expect(ids(run(open(PROMPT, done(REPLY)), chatFrame([PROMPT])))).toEqual([1]);
    const renamed = chatFrame(undefined, { title: 'T' });
    expect(ids(run(open(PROMPT, done(REPLY)), renamed))).toEqual([1, 2]);
  });

  it('survives a circle', () => {
    const loop = prompt(1, 'x', { reply_to: uuid(2) });
    expect(ids(open(loop, done(REPLY)))).toEqual([1, 2]);
  });
});

describe('the queue', () => {
  const second = prompt(3, 'second', { reply_to: uuid(2) });
  const waits = reply(4, { reply_to: uuid(3), state: 'queued' });

  it('is behind the reply that is being made, and Stop does not aim at it (B10)', () => {
    const state = run(replies.emptyChat(CHAT), chatFrame([PROMPT, REPLY, second, waits]));
    expect(selectors.queued(state).map(view => view.id)).toEqual([uuid(4)]);
    expect(selectors.target(state)?.messageId).toBe(uuid(2));
  });

  it('keeps the button at Send while it is paused', () => {
    const end = { ...REPLY, state: 'interrupted' as const };
    const state = run(
      replies.emptyChat(CHAT),
      chatFrame([PROMPT, end, second, waits], { state: 'paused' })
    );
    expect(selectors.queued(state)).toHaveLength(1);
    expect(selectors.buttonMode(state)).toBe('send');
  });

  it('is not where a reply is that is about to begin', () => {
    const waiting = { ...REPLY, state: 'queued' as const };
    const state = run(replies.emptyChat(CHAT), chatFrame([PROMPT, waiting]));
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
