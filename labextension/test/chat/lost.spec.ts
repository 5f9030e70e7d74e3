/** What the page does when the server refuses, is silent or closes the connection. */
import { beforeEach, describe, expect, it } from 'vitest';

import {
  begin,
  LONG,
  clock,
  sockets,
  server,
  chat,
  network,
  socket,
  now,
  text,
  exchange,
  comeBack,
  opened,
  asked,
  ended,
  running
} from '../chatServer';
import { buttonMode } from '../../src/chat/selectors';
import { GIVE_UP, SILENT } from '../../src/chat/stop/delivery';
import { Message } from '../../src/wire/protocol';
import { PATIENCE, QUIET } from '../../src/wire/socket';
import { CHAT, uuid } from '../support';

beforeEach(begin);

describe('a chat that cannot be opened', () => {
  const refuse = (): void =>
    socket().say({ type: 'error', code: 'internal', message: 'No disk.', chat_id: CHAT });

  it('says so, is asked for again after a pause, and at the press of Retry (B5)', () => {
    socket().greet();
    socket().sent = [];
    refuse();
    expect(now().chat).toMatchObject({ loading: true, failure: 'No disk.', notice: null });
    clock.advance(999);
    expect(socket().sent).toEqual([]);
    clock.advance(1);
    expect(socket().sent.map(frame => frame.type)).toEqual(['open']);
    refuse();
    chat.openAgain();
    expect(now().chat.failure).toBeNull();
    expect(socket().sent).toHaveLength(2);
    server.messages = [asked, ended()];
    exchange();
    expect(now().chat).toMatchObject({ loading: false, failure: null });
    expect(text(2)).toBe('some');
    clock.advance(60000);
    expect(socket().sent).toEqual([]);
  });

  it('goes on where a gap was found and the first answer is a refusal', () => {
    opened(asked, running);
    socket().say({ type: 'delta', message_id: uuid(2), offset: 10, text: 'x', part: 'text' });
    expect(socket().sent.map(frame => frame.type)).toEqual(['open']);
    socket().sent = [];
    refuse();
    expect(now().chat.notice?.text).toBe('No disk.');
    server.messages = [asked, { ...running, text: 'some more text', text_length: 14 }];
    clock.advance(1000);
    exchange();
    expect(text(2)).toBe('some more text');
    expect(now().chat.resync).toBe('no');
  });
});

describe('what a list left out', () => {
  const partly = (): Message => ended({ state: 'completed', text: LONG.slice(0, 100), text_length: LONG.length });

  it.each(['before it arrives', 'before its answer'])('is asked for again after a cut %s', step => {
    network.hears = true;
    server.messages = [asked, partly()];
    socket().greet();
    exchange();
    network.hears = step === 'before its answer';
    network.answers = false;
    chat.want(uuid(2));
    expect(socket().sent.map(frame => frame.type)).toEqual(['read']);
    exchange();
    expect(text(2)).toHaveLength(100);
    socket().drop();
    comeBack();
    exchange();
    expect(text(2)).toBe(LONG);
  });

  it('is dropped where the message has moved since', () => {
    opened(asked, partly());
    chat.want(uuid(2));
    const [frame] = socket().sent.splice(0);
    const [stale] = server.receive(frame);
    const cut = { ...partly(), text: '', text_offset: 4, text_length: 4 };
    socket().say({ type: 'message', message: cut });
    socket().say(stale);
    expect(text(2)).toBe('a lo');
  });

  it('is waited for by what needs it: to go on, and to give a prompt back (B4, L7)', async () => {
    opened(asked, { ...partly(), state: 'interrupted' });
    chat.continueFrom(uuid(2));
    expect(server.done).toEqual([]);
    exchange();
    await Promise.resolve();
    await Promise.resolve();
    exchange();
    expect(text(2)).toBe(LONG);
    expect(server.done).toEqual(['continue']);
  });

  it('is asked for no more where the server does not have it', () => {
    opened(asked, partly());
    chat.want(uuid(2));
    for (let n = 0; n < 5; n += 1) {
      const [frame] = socket().sent.splice(0);
      if (frame?.type === 'read') {
        const pieces = frame.wanted.map(one => ({ ...one, at: 0, offset: 100, text: '', length: 0 }));
        socket().say({ type: 'pieces', request_id: frame.request_id, chat_id: CHAT, pieces });
      }
    }
    expect(socket().sent).toEqual([]);
  });
});

describe('a connection that is gone without a word', () => {
  it('is noticed while a reply is made, and another one is made (B5)', () => {
    opened(asked, running);
    clock.advance(QUIET + 4999);
    expect(socket().sent).toEqual([{ type: 'ping' }]);
    exchange();
    clock.advance(QUIET);
    expect(sockets).toHaveLength(1);
    network.answers = false;
    exchange();
    clock.advance(QUIET + PATIENCE + 10000);
    expect(sockets.length).toBeGreaterThan(1);
    comeBack();
    expect(text(2)).toBe('some');
  });

  it('costs nothing while nothing is to come', () => {
    opened(asked, ended());
    clock.advance(600000);
    expect(sockets).toHaveLength(1);
    expect(socket().sent).toEqual([]);
  });

  it('is left for another one by a stop that is not answered, which is sent again (V3)', () => {
    opened(asked, running);
    network.hears = false;
    chat.stop();
    clock.advance(SILENT - 1);
    exchange();
    expect(sockets).toHaveLength(1);
    clock.advance(1);
    expect(sockets).toHaveLength(2);
    network.hears = true;
    socket().greet();
    exchange();
    expect(server.done).toContain('stop');
    expect(now().chat.messages[1]).toMatchObject({ stopFailed: null, frozen: false });
    expect(now().chat.messages[1].info.state).toBe('interrupted');
  });

  it('is said where the other one does not answer either (V3)', () => {
    opened(asked, running);
    chat.stop();
    clock.advance(GIVE_UP);
    expect(now().chat.messages[1].stopFailed).toBe('silence');
    expect(buttonMode(now().chat)).toBe('stop');
  });
});

describe('a prompt that the server closes the connection for', () => {
  it('comes back with both limits, and is not sent again (L5)', () => {
    opened(asked, ended());
    chat.edit('much too long');
    chat.send();
    expect(now().prompt.draft.text).toBe('');
    socket().onclose?.({ code: 1009 });
    expect(now().prompt.draft.text).toBe('much too long');
    expect(now().chat.notice).toMatchObject({ code: 'prompt_too_long', text: '1000 or 64 KiB' });
    comeBack();
    expect(server.done).toEqual([]);
  });
});
