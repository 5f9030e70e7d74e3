import { describe, expect, it } from 'vitest';

import bad from '../../../tests/frames/bad.json';
import good from '../../../tests/frames/good.json';
import { asServerFrame, isMessage, parseServerFrame } from '../../src/wire/guards';
import { ServerFrame } from '../../src/wire/protocol';
import { ChatView, emptyChat, reduce } from '../../src/chat/replies';
import { CHAT, prompt, reply, uuid } from '../support';

const server = good.filter(one => one.direction === 'server');
const client = good.filter(one => one.direction === 'client');

/** A chat in which each of the example frames means something. */
function before(): ChatView {
  const asked = reduce(emptyChat(CHAT), {
    type: 'request',
    requestId: uuid(9),
    kind: 'send',
    body: 'x'
  });
  const frame: ServerFrame = {
    type: 'chat',
    chat: { id: CHAT, owner: 'o', created_at: '', updated_at: '', state: 'idle' },
    messages: [prompt(1, 'Grüße 👋'), reply(2, { reply_to: uuid(1), text: 'Hello', text_length: 5 })]
  };
  return reduce(asked, { type: 'frame', frame });
}

describe('the shared bad frames', () => {
  it('have names of their own', () => {
    expect(bad.length).toBeGreaterThanOrEqual(40);
    expect(new Set(bad.map(one => one.name)).size).toBe(bad.length);
  });

  it.each(bad.map(one => [one.name, one.raw] as const))('%s is no frame of the server', (_, raw) => {
    expect(parseServerFrame(raw)).toBeNull();
  });

  it.each(bad.map(one => [one.name, one.code] as const))('%s: its answer is shown', (_, code) => {
    const answer = { type: 'error', code, message: 'A sentence.', error_id: 'e1' };
    const read = parseServerFrame(JSON.stringify(answer));
    const { notice } = reduce(before(), { type: 'frame', frame: read as ServerFrame });
    expect(notice).toEqual({ code, text: 'A sentence.', errorId: 'e1' });
  });
});

describe('the shared example frames', () => {
  it.each(server.map(one => [one.name, one.frame] as const))('%s is understood', (name, frame) => {
    const read = parseServerFrame(JSON.stringify(frame));
    expect(read).toEqual(frame);
    const state = before();
    const after = reduce(state, { type: 'frame', frame: read as ServerFrame });
    // these are for the socket, for what waits for its answer, for a list, and for the page
    const shows =
      !/^(welcome|the answer to a (stop|read|ping)|the messages before|a tool asks something|nobody waits)/.test(
        name
      );
    expect(after !== state).toBe(shows);
  });

  it.each(client.map(one => [one.name, one.frame] as const))(
    '%s is not taken for a frame of the server',
    (_, frame) => {
      expect(asServerFrame(frame)).toBeNull();
    }
  );

  it.each(server.map(one => [one.name, one.frame] as const))(
    '%s is refused without any one of its required fields',
    (_, frame) => {
      const required: Record<string, string[]> = {
        welcome: ['protocol', 'epoch', 'limits', 'models'],
        accepted: ['request_id', 'chat_id', 'user_message', 'message'],
        chat: ['chat'],
        messages: ['chat_id', 'messages', 'earlier'],
        pieces: ['request_id', 'chat_id', 'pieces'],
        pong: [],
        delta: ['message_id', 'offset', 'text', 'part'],
        thought: ['message_id', 'text_length'],
        message: ['message'],
        tool: ['message_id', 'call_id', 'name', 'state'],
        tool_request: ['call', 'message_id', 'operation', 'args'],
        tool_cancel: ['call'],
        stop_result: ['results'],
        error: ['code', 'message']
      };
      for (const field of ['type', ...required[frame.type]]) {
        const { [field]: _left, ...rest } = frame as Record<string, unknown>;
        expect(asServerFrame(rest), field).toBeNull();
      }
    }
  );

  it('hold a message id that is a string and not empty (L2)', () => {
    const whole = reply(2);
    expect(isMessage(whole)).toBe(true);
    for (const id of ['', 1, null, undefined, {}]) {
      expect(isMessage({ ...whole, id })).toBe(false);
    }
  });
});
