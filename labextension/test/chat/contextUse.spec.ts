/** How full the model would be with the next prompt. */
import { describe, expect, it } from 'vitest';

import { contextUse } from '../../src/chat/contextUse';
import { MessageView, newView } from '../../src/chat/messages';
import { Message } from '../../src/wire/protocol';

const NOTHING = { text: '', attachments: [] };

function view(changes: Partial<Message>): MessageView {
  const text = changes.text ?? '';
  return newView({
    id: 'm',
    chat_id: 'c',
    role: 'user',
    text,
    text_offset: 0,
    text_length: text.length,
    state: 'completed',
    created_at: '2026-01-01T00:00:00Z',
    made_elsewhere: false,
    attachments: [],
    tools: [],
    ...changes
  }).view;
}

function reply(changes: Partial<Message>): MessageView {
  return view({ role: 'assistant', id: 'r', ...changes });
}

const COUNTED = {
  input_tokens: 700,
  output_tokens: 60,
  reasoning_tokens: 10,
  estimated: false
};

describe('how full a model is', () => {
  it('is estimated from the texts until somebody has counted', () => {
    const shown = [view({ text: 'x'.repeat(40) }), reply({ text: 'y'.repeat(40) })];
    const use = contextUse(shown, { text: 'z'.repeat(40), attachments: [] }, 60);
    expect(use).toMatchObject({ tokens: 30, percent: 50, level: 'room' });
  });

  it('has the instructions until they were counted, and where the person is each time', () => {
    const place = { name: 'abcd', text: 'p'.repeat(36) };
    const besides = { place, instructions: 400 };
    expect(contextUse([], { ...NOTHING, text: 'x'.repeat(40) }, null, besides).tokens).toBe(10 + 10 + 100);
    const counted = [view({ text: 'x' }), reply({ usage: COUNTED })];
    expect(contextUse(counted, NOTHING, null, besides).tokens).toBe(750 + 10);
  });

  it('is what the provider counted for the last reply, and an estimate of what is new', () => {
    const shown = [view({ text: 'x'.repeat(9000) }), reply({ usage: COUNTED })];
    const attachment = {
      name: 'a.py',
      text: 'b'.repeat(36),
      mime_type: 'text/plain'
    };
    const use = contextUse(shown, { text: 'c'.repeat(40), attachments: [attachment] }, 1000);
    expect(use).toMatchObject({
      tokens: 750 + 20,
      level: 'nearly',
      percent: 77
    });
    expect(contextUse(shown, { ...NOTHING, text: 'c'.repeat(400) }, 1000).level).toBe('full');
    expect(contextUse(shown, NOTHING, 500)).toMatchObject({
      percent: 100,
      level: 'full'
    });
  });

  it('takes no count of several requests for one', () => {
    const tools = [{ call_id: '1', name: 't', state: 'completed' as const }];
    const shown = [view({ text: 'x'.repeat(40) }), reply({ usage: COUNTED, tools })];
    expect(contextUse(shown, NOTHING, 1000).tokens).toBe(10);
    const making = [
      view({ text: 'x'.repeat(40) }),
      reply({ usage: COUNTED, state: 'generating' })
    ];
    expect(contextUse(making, NOTHING, 1000).tokens).toBe(10);
  });

  it('counts what of a message is not here yet', () => {
    const left_out = [
      { part: 'attachment' as const, at: 0, length: 400 },
      { part: 'tool_result' as const, at: 0, length: 4000 }
    ];
    const shown = [view({ text: '', text_length: 400, left_out })];
    expect(contextUse(shown, NOTHING, 1000).tokens).toBe(200);
  });

  it('is a count alone where nobody knows what the model takes', () => {
    const use = contextUse([reply({ usage: COUNTED })], NOTHING, undefined);
    expect(use).toMatchObject({
      tokens: 750,
      most: null,
      percent: null,
      level: 'room'
    });
  });

  it('names the first message that the model was told', () => {
    const first = view({ id: 'told', text: 'Told from here' });
    const usage = { ...COUNTED, sent_from: 'told' };
    const shown = [view({ id: 'old' }), reply({ id: 'r0' }), first, reply({ usage })];
    expect(contextUse(shown, NOTHING, 1000).toldFrom).toBe(shown[2]);
    expect(contextUse(shown.slice(0, 2), NOTHING, 1000).toldFrom).toBeNull();
  });

  it('has room for what pictures take, as the server reckons it', () => {
    const picture = { name: '', text: '', mime_type: 'image/png', blob: 'a'.repeat(64), width: 750, height: 100 };
    expect(contextUse([], { text: '', attachments: [picture] }, 1000).tokens).toBe(100);
    const shown = [view({ attachments: [picture] })];
    expect(contextUse(shown, NOTHING, 1000).tokens).toBe(100);
  });

  it('is looked for once through a long chat, at each key', () => {
    let looks = 0;
    const shown = Array.from({ length: 500 }, (_, n) => {
      const one = view({ id: `m${n}` });
      return { ...one, get info() {
        looks += 1;
        return one.info;
      } };
    });
    contextUse(shown, NOTHING, 1000);
    expect(looks).toBeLessThan(500 * 20);
  });
});
