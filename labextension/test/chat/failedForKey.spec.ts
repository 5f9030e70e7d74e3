/** Which reply is made anew by itself once there is a key. */
import { describe, expect, it } from 'vitest';

import * as replies from '../../src/chat/replies';
import { failedForKey } from '../../src/chat/selectors';
import { ErrorCode, Message } from '../../src/wire/protocol';
import { CHAT, prompt, reply, uuid } from '../support';

const failed = (code: ErrorCode, change: Partial<Message> = {}): Message =>
  reply(2, {
    state: 'failed',
    model: 'openai:gpt',
    reply_to: uuid(1),
    error: { code, message: 'x' },
    ...change
  });

const shown = (...messages: Message[]): replies.ChatView => {
  const chat = { id: CHAT, owner: 'o', created_at: '', updated_at: '', state: 'idle' as const };
  return replies.reduce(replies.emptyChat(CHAT), {
    type: 'frame',
    frame: { type: 'chat', chat, messages: [prompt(1, 'question'), ...messages] }
  });
};

describe('a reply that failed for want of a key', () => {
  it('is of that provider and for that reason (U6)', () => {
    for (const code of ['missing_key', 'key_refused', 'invalid_key', 'forbidden'] as const) {
      expect(failedForKey(shown(failed(code)), 'openai')?.id).toBe(uuid(2));
    }
    const local = failed('local_model_missing', { model: 'local:smollm2' });
    expect(failedForKey(shown(local), 'local')?.id).toBe(uuid(2));
    expect(failedForKey(shown(failed('key_refused')), 'open')).toBeNull();
    expect(failedForKey(shown(failed('key_refused')), 'anthropic')).toBeNull();
    expect(failedForKey(shown(failed('quota_exceeded')), 'openai')).toBeNull();
    const done = failed('key_refused', { state: 'completed', error: undefined });
    expect(failedForKey(shown(done), 'openai')).toBeNull();
  });

  it('is the last, and nothing is being made (U6)', () => {
    const more = [prompt(3, 'more', { reply_to: uuid(2) })];
    expect(failedForKey(shown(failed('key_refused'), ...more), 'openai')).toBeNull();
    const asked = replies.reduce(shown(failed('key_refused')), {
      type: 'request',
      requestId: uuid(9),
      kind: 'regenerate',
      messageId: uuid(2)
    });
    expect(failedForKey(asked, 'openai')).toBeNull();
  });
});
