/** One chat: what is sent, and what becomes of it when the connection does not hold. */
import { beforeEach, describe, expect, it } from 'vitest';

import {
  begin,
  clock,
  frames,
  remembered,
  openChats,
  chat,
  told,
  tellOff,
  asked,
  R1,
  R2,
  start,
  set,
  server,
  now,
  mode,
  draft,
  sent,
  accept,
  delta,
  end,
  online,
  ask,
  running
} from '../chatPage';
import { phase, visible } from '../../src/chat/selectors';
import { ShownChat } from '../../src/chat/shownChat';
import { ServerFrame } from '../../src/wire/protocol';
import { CHAT, prompt, reply, uuid } from '../support';

beforeEach(begin);

describe('sending', () => {
  it('turns the button into Stop at once (J1, J2)', () => {
    online();
    ask();
    expect(mode()).toBe('stop');
    expect(draft()).toBe('');
    expect(sent('send')).toEqual([
      { type: 'send', request_id: R1, chat_id: null, body: 'question' }
    ]);
  });

  it('sends nothing that is blank (L8)', () => {
    online();
    chat.edit('  \n');
    expect(chat.send()).toBe(false);
    expect(server().sent).toEqual([]);
    expect(draft()).toBe('  \n');
  });

  it('does not send what the server would refuse, and keeps it in the input', () => {
    online();
    ask('x'.repeat(1001));
    expect(server().sent).toEqual([]);
    expect(draft()).toHaveLength(1001);
    expect(now().chat.notice?.text).toBe('too long');
  });

  it('gives the prompt back when the server refuses it', () => {
    online();
    ask();
    server().say({ type: 'error', code: 'busy', message: 'Busy.', request_id: R1 });
    expect(draft()).toBe('question');
    expect(mode()).toBe('send');
    expect(now().chat.notice?.text).toBe('Busy.');
  });

  it('keeps a second prompt of a new chat until the chat has an id', () => {
    online();
    ask('first');
    ask('second');
    expect(sent('send')).toHaveLength(1);
    accept(1, R1, 'first');
    expect(sent('send')[1]).toMatchObject({ body: 'second', chat_id: CHAT, request_id: R2 });
  });

  it('sends the policy that the person has set, and leaves it to the server otherwise', () => {
    set({ policy: 'interrupt' });
    online();
    ask();
    expect(sent('send')[0]).toMatchObject({ policy: 'interrupt' });
  });
});

describe('the connection', () => {
  it('tells when it is lost, and goes on where it was (B5)', () => {
    running('abc');
    server().drop();
    expect(now().lost).toBe(true);
    clock.advance(300);
    expect(now().lost).toBe(true);
    server().greet();
    expect(now().lost).toBe(false);
    expect(server().sent).toEqual([
      { type: 'open', chat_id: CHAT, offsets: { [uuid(1)]: 8, [uuid(2)]: 3 }, epoch: 'e1' }
    ]);
  });

  it('tells that the chat is turned off on the server, until it is there (H2)', async () => {
    start(null);
    expect([asked, now().off]).toEqual([0, false]);
    server().drop();
    expect([asked, now().lost, now().off]).toEqual([1, true, false]);
    tellOff(true);
    await Promise.resolve();
    await Promise.resolve();
    expect(now().off).toBe(true);
    const other = new ShownChat(openChats, CHAT);
    expect(other.controller.getSnapshot().off).toBe(true);
    clock.advance(300);
    expect(now().off).toBe(true);
    server().drop();
    expect([asked, now().off]).toEqual([2, true]);
    tellOff(false);
    await Promise.resolve();
    await Promise.resolve();
    expect([now().lost, now().off]).toEqual([true, false]);
    clock.advance(1000);
    server().drop();
    tellOff(true);
    await Promise.resolve();
    await Promise.resolve();
    clock.advance(3000);
    server().greet();
    expect([now().lost, now().off]).toEqual([false, false]);
  });

  it('heeds no late word of a server that is there meanwhile (H2)', async () => {
    start(null);
    server().drop();
    clock.advance(300);
    server().greet();
    tellOff(true);
    await Promise.resolve();
    await Promise.resolve();
    expect(now().off).toBe(false);
  });

  it('is not told as lost before it was there', () => {
    start(null);
    expect(now().lost).toBe(false);
  });

  it('shows a chat again after a reload, and Stop works there (B5)', () => {
    start(CHAT);
    server().greet();
    const frame: ServerFrame = {
      type: 'chat',
      chat: { id: CHAT, owner: 'o', created_at: '', updated_at: '', state: 'generating' },
      messages: [prompt(1, 'question'), reply(2, { text: 'so far', reply_to: uuid(1) })]
    };
    server().say(frame);
    delta(2, 6, ' and on');
    expect(now().chat.messages[1].text).toBe('so far and on');
    chat.stop();
    expect(sent('stop')).toEqual([{ type: 'stop', message_id: uuid(2), shown: 13 }]);
    expect(draft()).toBe('question');
  });

  it('begins a new chat when the remembered one is gone', () => {
    start(CHAT);
    server().greet();
    server().say({ type: 'error', code: 'unknown_chat', message: 'No.' });
    expect(now().chat).toMatchObject({ chatId: null, loading: false, notice: null });
    expect(remembered).toEqual([null]);
  });

  it('asks once for what is missing', () => {
    running('abc');
    delta(2, 7, 'x');
    delta(2, 8, 'y');
    expect(sent('open')).toHaveLength(1);
  });
});

describe('a changed prompt', () => {
  const ended = (): void => {
    running();
    end(2, 'completed', 'some text');
  };

  it('is asked again, and comes back when it is stopped', () => {
    ended();
    expect(chat.editPrompt(uuid(1), 'a better question')).toBe(true);
    const [frame] = sent('edit') as { request_id: string }[];
    expect(frame).toMatchObject({ message_id: uuid(1), body: 'a better question' });
    expect(frame).not.toHaveProperty('keeps');
    expect(mode()).toBe('stop');
    chat.stop();
    expect(draft()).toBe('a better question');
    expect(sent('stop')).toMatchObject([{ request_id: frame.request_id }]);
  });

  it('U25: keeps what is attached, or what is left of it', () => {
    ended();
    chat.editPrompt(uuid(1), 'better', [1, 2]);
    expect(sent('edit')).toMatchObject([{ body: 'better', keeps: [1, 2] }]);
  });

  it('is not asked while another reply is made', () => {
    running();
    expect(chat.editPrompt(uuid(1), 'a better question')).toBe(false);
  });

  it('is a version, and each version can be seen', () => {
    ended();
    chat.editPrompt(uuid(1), 'better');
    const [frame] = sent('edit') as { request_id: string }[];
    server().say({
      type: 'accepted',
      request_id: frame.request_id,
      chat_id: CHAT,
      user_message: prompt(3, 'better', { version_of: uuid(1) }),
      message: reply(4, { reply_to: uuid(3), request_id: frame.request_id })
    });
    const shown = () => visible(now().chat).map(view => view.id);
    expect(shown()).toEqual([uuid(3), uuid(4)]);
    chat.showVersion(uuid(1));
    expect(shown()).toEqual([uuid(1), uuid(2)]);
    delta(4, 0, 'text');
    expect(shown()).toEqual([uuid(1), uuid(2)]);
    chat.showVersion(uuid(3));
    expect(shown()).toEqual([uuid(3), uuid(4)]);
  });
});

describe('the page', () => {
  it('is told of many deltas once a frame', () => {
    running();
    frames.splice(0);
    const before = told;
    chat.stop();
    for (let n = 0; n < 100; n += 1) {
      delta(2, 9 + n, 'x');
    }
    expect(told).toBe(before + 1);
    expect(frames.length).toBeLessThanOrEqual(1);
  });

  it('leaves no timer behind', () => {
    running();
    chat.stop();
    openChats.dispose();
    expect(clock.waiting).toBe(0);
    expect(server().closed).toBe(true);
  });
});

describe('what is said of the reply', () => {
  const said = (): string => phase(now().chat, now().lost)[0];

  it('U23: is that it waits for the connection, until there is one', () => {
    online();
    expect(said()).toBe('none');
    server().onclose?.({});
    ask();
    expect(said()).toBe('waiting');
    clock.advance(60_000);
    server().greet();
    expect(said()).toBe('generating');
    accept(1, R1);
    expect(said()).toBe('generating');
    end(2, 'completed', 'some text');
    expect(said()).toBe('completed');
  });

  it('U23: is nothing of the kind once it was stopped', () => {
    online();
    server().onclose?.({});
    ask();
    chat.stop();
    expect(said()).not.toBe('waiting');
  });
});
