/** Another Jupyter server on the same data makes a reply: it is like any other. */
import { describe, expect, it } from 'vitest';

import { Message, ServerFrame } from '../../src/wire/protocol';
import * as replies from '../../src/chat/replies';
import * as selectors from '../../src/chat/selectors';
import { CHAT, prompt, reply, uuid } from '../support';

const U = prompt(1, 'question');
const made = (more: Partial<Message> = {}): Message =>
  reply(2, {
    ...{ reply_to: uuid(1), state: 'generating', made_elsewhere: true },
    ...{ text: 'half ', text_length: 5, ...more }
  });
const opened = (...made: Message[]): replies.ChatView => {
  const chat = { id: CHAT, owner: 'o', created_at: '', updated_at: '', state: 'idle' as const };
  const frame: ServerFrame = { type: 'chat', chat, messages: [U, ...made] };
  return replies.reduce(replies.emptyChat(CHAT), { type: 'frame', frame });
};
const told = (state: replies.ChatView, message: Message): replies.ChatView =>
  replies.reduce(state, { type: 'frame', frame: { type: 'message', message } });

describe('a reply that another server makes', () => {
  it('has a Stop as any other has (H4)', () => {
    const modes = { generating: 'stop', stopping: 'stopping', queued: 'stop' } as const;
    for (const state of ['generating', 'stopping', 'queued'] as const) {
      const now = opened(made({ state }));
      expect(selectors.target(now)?.messageId).toBe(uuid(2));
      expect(selectors.buttonMode(now)).toBe(modes[state]);
      expect(selectors.phase(now, false)[0]).toBe(state === 'stopping' ? state : 'generating');
      expect(selectors.buttonMode(opened(made({ state, made_elsewhere: false })))).toBe(modes[state]);
    }
  });

  it('has prompts wait behind it (B10, H4)', () => {
    const behind = { reply_to: uuid(3), state: 'queued', made_elsewhere: true } as const;
    const asked = prompt(3, 'and then?', { reply_to: uuid(2) });
    const now = opened(made(), asked, reply(4, behind));
    expect(selectors.queued(now).map(view => view.id)).toEqual([uuid(4)]);
    expect(selectors.target(now)?.messageId).toBe(uuid(2));
  });

  it('has its queue paused by a stop, which its server alone is told (B10, H4)', () => {
    const behind = { reply_to: uuid(3), state: 'queued', made_elsewhere: true } as const;
    const asked = prompt(3, 'and then?', { reply_to: uuid(2) });
    const stop = { reason: 'user', requested_at: '', provider: 'closed', discarded: false } as const;
    const stopped = { state: 'interrupted', made_elsewhere: false, stop } as const;
    const after = (ended: Partial<Message>, next: Partial<Message> = {}, state = 'queued') => {
      const now = opened(made(ended), asked, reply(4, { ...behind, ...next }));
      return { ...now, chat: { ...now.chat, state } } as replies.ChatView;
    };
    const paused = after(stopped);
    expect([selectors.isPaused(paused), selectors.buttonMode(paused)]).toEqual([true, 'send']);
    expect(selectors.queued(paused).map(view => view.id)).toEqual([uuid(4)]);
    for (const other of [
      after({ state: 'completed', made_elsewhere: false }),
      after({ ...stopped, stop: { ...stop, reason: 'replaced' } }),
      after(stopped, { made_elsewhere: false }),
      after(stopped, { state: 'generating' }),
      after({}),
      after(stopped, {}, 'idle')
    ]) {
      expect([selectors.isPaused(other), selectors.buttonMode(other)]).toEqual([false, 'stop']);
    }
    expect(selectors.isPaused(after(stopped, {}, 'paused'))).toBe(true);
  });

  it('grows and ends as its server tells (H4)', () => {
    let now = told(opened(made()), made({ text: 'and ', text_offset: 5, text_length: 9 }));
    expect(now.messages[1].text).toBe('half and ');
    const end = { state: 'completed', made_elsewhere: false } as const;
    now = told(now, made({ ...end, text: 'whole', text_offset: 9, text_length: 14 }));
    expect(now.messages[1].text).toBe('half and whole');
    expect(now.resync).toBe('no');
  });

  it('stays frozen while its server goes on with it (S1, H4)', () => {
    const shown = replies.reduce(opened(made()), { type: 'stop', messageId: uuid(2), shown: 4 });
    const now = told(shown, made({ text: 'and ', text_offset: 5, text_length: 9 }));
    expect(now.messages[1].text).toBe('half');
    expect(selectors.buttonMode(now)).toBe('stopping');
  });

  const refused = (state: replies.ChatView, code: 'made_elsewhere' | 'not_saved') =>
    replies.reduce(state, {
      type: 'frame',
      frame: { type: 'error', code, message: 'words', error_id: 'e' } as ServerFrame
    });
  const asked = (state: replies.ChatView) =>
    replies.reduce(state, { type: 'request', requestId: uuid(9), kind: 'send', body: 'more' });

  it('takes its notice away with its end, and not before (H4)', () => {
    let now = refused(opened(made()), 'made_elsewhere');
    now = told(now, made({ text: 'and ', text_offset: 5, text_length: 9 }));
    expect(now.notice?.code).toBe('made_elsewhere');
    const end = { state: 'completed', made_elsewhere: false } as const;
    now = told(now, made({ ...end, text: '', text_offset: 9, text_length: 9 }));
    expect(now.notice).toBeNull();
  });

  it('leaves the notice that nothing can be saved through the next prompt (H3)', () => {
    expect(asked(refused(opened(made()), 'not_saved')).notice?.code).toBe('not_saved');
    expect(asked(refused(opened(made()), 'made_elsewhere')).notice).toBeNull();
  });
});
