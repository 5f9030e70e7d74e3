/** Another Jupyter server on the same data makes a reply: no Stop of this page reaches it. */
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
const opened = (message: Message): replies.ChatView => {
  const chat = { id: CHAT, owner: 'o', created_at: '', updated_at: '', state: 'idle' as const };
  const frame: ServerFrame = { type: 'chat', chat, messages: [U, message] };
  return replies.reduce(replies.emptyChat(CHAT), { type: 'frame', frame });
};
const told = (state: replies.ChatView, message: Message): replies.ChatView =>
  replies.reduce(state, { type: 'frame', frame: { type: 'message', message } });

describe('a reply that another server makes', () => {
  it('has no Stop here, and Send stays (H4)', () => {
    for (const state of ['generating', 'stopping', 'queued'] as const) {
      const now = opened(made({ state }));
      expect(selectors.target(now)).toBeNull();
      expect(selectors.buttonMode(now)).toBe('send');
      expect(selectors.queued(now)).toEqual([]);
    }
  });

  it('grows and ends as its server tells (H4)', () => {
    let now = told(opened(made()), made({ text: 'and ', text_offset: 5, text_length: 9 }));
    expect(now.messages[1].text).toBe('half and ');
    const end = { state: 'completed', made_elsewhere: false } as const;
    now = told(now, made({ ...end, text: 'whole', text_offset: 9, text_length: 14 }));
    expect(now.messages[1].text).toBe('half and whole');
    expect(now.resync).toBe('no');
  });

  it('lets go of a Stop that was pressed before that was known (H4)', () => {
    const live = opened(made({ made_elsewhere: false }));
    const stopped = replies.reduce(live, { type: 'stop', messageId: uuid(2), shown: 5 });
    expect(selectors.buttonMode(stopped)).toBe('stopping');
    const now = told(stopped, made());
    expect(now.messages[1].frozen).toBe(false);
    expect(selectors.buttonMode(now)).toBe('send');
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
