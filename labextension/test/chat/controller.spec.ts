import { beforeEach, describe, expect, it } from 'vitest';

import { ChatController, ChatSettings } from '../../src/chat/controller';
import { Desk } from '../../src/chat/desk';
import { MessageView } from '../../src/chat/messages';
import { ShownChat } from '../../src/chat/shownChat';
import { Chat, Message, ServerFrame, Stop } from '../../src/wire/protocol';
import { buttonMode, queued, visible } from '../../src/chat/selectors';
import { CHAT, FakeSocket, prompt, reply, ScriptedClock, uuid } from '../support';

let clock: ScriptedClock;
let sockets: FakeSocket[];
let frames: (() => void)[];
let remembered: (string | null)[];
let settings: ChatSettings;
let ids: number;
let desk: Desk;
let shownChat: ShownChat;
/** What it shows. */
let chat: ChatController;
let told: number;
let ends: MessageView[];
/** Answers whether the chat is turned off on the server. */
let tellOff: (off: boolean) => void;
let asked: number;

const R1 = uuid(0x101);
const R2 = uuid(0x102);

beforeEach(() => {
  clock = new ScriptedClock();
  sockets = [];
  frames = [];
  remembered = [];
  settings = { onStop: 'keep', policy: null, restorePrompt: true };
  ids = 0x100;
  told = 0;
  ends = [];
  asked = 0;
  desk = new Desk({
    clock,
    isOff: () => {
      asked += 1;
      return new Promise(resolve => (tellOff = resolve));
    },
    connect: () => {
      sockets.push(new FakeSocket());
      return sockets[sockets.length - 1];
    },
    makeId: () => uuid((ids += 1)),
    settings: () => settings,
    words: { notConnected: 'offline', noAnswer: 'silence', promptTooLong: 'too long' },
    nextFrame: what => frames.push(what),
    onEnd: reply => ends.push(reply)
  });
});

function start(chatId: string | null): void {
  shownChat = new ShownChat(desk, chatId, id => remembered.push(id));
  chat = shownChat.controller;
  chat.subscribe(() => (told += 1));
  desk.connect();
}
function show(chatId: string | null): void {
  shownChat.show(chatId);
  chat = shownChat.controller;
}
const meta: Chat = {
  id: CHAT,
  owner: 'me',
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  state: 'idle'
};
const server = (): FakeSocket => sockets[sockets.length - 1];
const now = () => chat.getSnapshot();
const mode = () => buttonMode(now().chat);
const draft = () => now().prompt.draft.text;
const sent = (type: string) => server().sent.filter(frame => frame.type === type);
const accept = (n: number, request: string, text = 'question', change: Partial<Message> = {}) =>
  server().say({
    type: 'accepted',
    request_id: request,
    chat_id: CHAT,
    user_message: prompt(n, text, n > 1 ? { reply_to: uuid(n - 1) } : {}),
    message: reply(n + 1, { reply_to: uuid(n), request_id: request, ...change })
  });
const delta = (n: number, offset: number, text: string) =>
  server().say({ type: 'delta', message_id: uuid(n), offset, text, part: 'text' });
const end = (n: number, state: Message['state'], text: string, change: Partial<Message> = {}) =>
  server().say({
    type: 'message',
    message: reply(n, { state, text, reply_to: uuid(n - 1), request_id: R1, ...change })
  });

function online(): void {
  start(null);
  server().greet();
}
function ask(text = 'question'): void {
  chat.edit(text);
  chat.send();
}
/** A reply that is being made, with some text. */
function running(text = 'some text'): void {
  online();
  ask();
  accept(1, R1);
  delta(2, 0, text);
}

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
    settings = { ...settings, policy: 'interrupt' };
    online();
    ask();
    expect(sent('send')[0]).toMatchObject({ policy: 'interrupt' });
  });
});

describe('Stop', () => {
  it('freezes the text in the same call, before any answer (S1)', () => {
    running();
    const before = told;
    chat.stop();
    expect(told).toBe(before + 1);
    delta(2, 9, ' and late');
    expect(now().chat.messages[1].text).toBe('some text');
    expect(mode()).toBe('stopping');
    expect(sent('stop')).toEqual([{ type: 'stop', message_id: uuid(2), shown: 9 }]);
  });

  it('says how much was on the screen, and keeps no more (B4)', () => {
    running();
    chat.reportShown(uuid(2), () => 4);
    chat.stop();
    expect(sent('stop')[0]).toMatchObject({ shown: 4 });
    end(2, 'interrupted', 'some');
    expect(now().chat.messages[1].text).toBe('some');
    expect(mode()).toBe('send');
  });

  it('is sent once, however often it is pressed (V7)', () => {
    running();
    for (let n = 0; n < 20; n += 1) {
      chat.click();
      chat.stop();
    }
    expect(sent('stop')).toHaveLength(1);
    end(2, 'interrupted', 'some text');
    clock.advance(60000);
    expect(sent('stop')).toHaveLength(1);
    expect(draft()).toBe('question');
  });

  it('goes by the request between Enter and the answer (J2, S6)', () => {
    online();
    ask();
    chat.stop();
    expect(sent('stop')).toEqual([{ type: 'stop', request_id: R1, shown: 0 }]);
    expect(draft()).toBe('question');
    accept(1, R1);
    delta(2, 0, 'late');
    expect(now().chat.messages[1].text).toBe('');
    expect(mode()).toBe('stopping');
    end(2, 'interrupted', '');
    server().say({ type: 'stop_result', request_id: R1, results: [{ outcome: 'interrupted' }] });
    expect(mode()).toBe('send');
    clock.advance(60000);
    expect(sent('stop')).toHaveLength(1);
  });

  it('of a prompt that never left the page sends nothing at all', () => {
    start(null);
    ask();
    chat.stop();
    expect(mode()).toBe('send');
    expect(draft()).toBe('question');
    server().greet();
    expect(server().sent).toEqual([]);
  });

  it('does nothing when nothing is being made', () => {
    online();
    expect(chat.stop()).toBe(false);
    expect(server().sent).toEqual([]);
  });

  it('is tried again, then said to have failed, and never claimed (V3)', () => {
    running();
    server().drop();
    chat.stop();
    expect(mode()).toBe('stopping');
    clock.advance(3000);
    expect(mode()).toBe('stop');
    expect(now().chat.messages[1]).toMatchObject({ stopFailed: 'offline', frozen: false });
    expect(draft()).toBe('');
    server().greet();
    expect(sent('stop')).toEqual([]);
    chat.stop();
    expect(sent('stop')).toHaveLength(1);
    expect(now().chat.messages[1].stopFailed).toBeNull();
  });

  it('is sent as soon as the connection is back', () => {
    running();
    server().drop();
    chat.stop();
    clock.advance(300);
    server().greet();
    expect(sent('stop')).toHaveLength(1);
    clock.advance(2700);
    expect(mode()).toBe('stopping');
  });

  it('discards the turn when that is what is set (V4)', () => {
    settings = { ...settings, onStop: 'discard' };
    running();
    chat.stop();
    expect((sent('stop')[0] as Stop).discard).toBe(true);
    end(2, 'interrupted', '', {
      stop: { reason: 'user', requested_at: '', provider: 'closed', discarded: true }
    });
    expect(visible(now().chat)).toEqual([]);
    expect(draft()).toBe('question');
  });

  it('of everything reaches every chat (J4)', () => {
    running();
    chat.stopAll();
    expect(sent('stop')).toContainEqual({ type: 'stop', all: true });
    server().say({ type: 'stop_result', all: true, results: [] });
    end(2, 'interrupted', 'some text');
    clock.advance(60000);
    expect(sent('stop')).toHaveLength(2);
    expect(now().chat.notice).toBeNull();
  });

  it('and send asks the draft in its place, and gives nothing back (J5)', () => {
    running();
    chat.edit('rather this');
    expect(chat.stopAndSend()).toBe(true);
    expect(now().chat.messages[1]).toMatchObject({ frozen: true, text: 'some text' });
    expect(server().sent.slice(-2)).toMatchObject([
      { type: 'stop', message_id: uuid(2), shown: 9 },
      { type: 'send', body: 'rather this', policy: 'interrupt', chat_id: CHAT }
    ]);
    expect(draft()).toBe('');
    expect(now().prompt.chip).toBeNull();
  });

  it('of one message is for the one that is made, or takes one out of the queue (J4)', () => {
    running();
    ask('second');
    accept(3, R2, 'second', { state: 'queued' });
    expect(chat.stopMessage(uuid(4))).toBe(true);
    expect(sent('unqueue')).toEqual([{ type: 'unqueue', message_id: uuid(4) }]);
    expect(chat.stopMessage(uuid(1))).toBe(false);
    expect(sent('stop')).toEqual([]);
    expect(chat.stopMessage(uuid(2))).toBe(true);
    expect(sent('stop')).toHaveLength(1);
  });

  it('leaves the prompt where it is when that is what is set', () => {
    settings = { ...settings, restorePrompt: false };
    running();
    chat.stop();
    expect(draft()).toBe('');
  });

  it('gives back what would be nowhere else, whatever is set', () => {
    settings = { onStop: 'discard', policy: null, restorePrompt: false };
    running();
    chat.stop();
    expect(draft()).toBe('question');
    end(2, 'interrupted', '', {
      stop: { reason: 'user', requested_at: '', provider: 'closed', discarded: true }
    });
    chat.edit('');
    settings = { ...settings, onStop: 'keep' };
    server().drop();
    ask('never sent');
    chat.stop();
    expect(draft()).toBe('never sent');
  });

  it('asks again for a chat whose message the server does not know', () => {
    running();
    chat.stop();
    server().say({ type: 'stop_result', message_id: uuid(2), results: [{ outcome: 'not_found' }] });
    expect(sent('open')).toHaveLength(1);
  });
});

describe('the prompt', () => {
  it('comes back at Stop (L7), or as a chip beside a newer draft', () => {
    running();
    chat.edit('newer');
    chat.stop();
    expect(draft()).toBe('newer');
    expect(now().prompt.chip?.text).toBe('question');
  });

  it('is taken back when the reply won the race', () => {
    running();
    chat.stop();
    expect(draft()).toBe('question');
    end(2, 'completed', 'some text to its end');
    expect(draft()).toBe('');
    expect(now().chat.messages[1].text).toBe('some text to its end');
  });

  it('is not sent by a double click on Stop', () => {
    running();
    chat.click();
    end(2, 'interrupted', 'some text');
    chat.click();
    clock.advance(399);
    chat.click();
    expect(sent('send')).toHaveLength(1);
    clock.advance(1);
    chat.click();
    expect(sent('send')).toHaveLength(2);
  });

  it('can be sent again by Enter at once, in the right order (J5)', () => {
    running();
    chat.stop();
    chat.send();
    expect(server().sent.map(frame => frame.type)).toEqual(['send', 'stop', 'send']);
  });

  it('does not come back for a reply that was made anew', () => {
    running();
    end(2, 'interrupted', 'some');
    chat.regenerate(uuid(2));
    expect(mode()).toBe('stop');
    const again = { version_of: uuid(2), reply_to: uuid(1), request_id: R2 };
    server().say({
      type: 'accepted',
      request_id: R2,
      chat_id: CHAT,
      user_message: prompt(1, 'question'),
      message: reply(3, again)
    });
    chat.stop();
    expect(draft()).toBe('');
  });

  it('does not come back for a reply that was gone on from', () => {
    running();
    end(2, 'interrupted', 'some');
    chat.continueFrom(uuid(2));
    accept(1, R2, 'question', { text: '', text_offset: 4, text_length: 4 });
    expect(mode()).toBe('stop');
    delta(2, 4, ' more');
    expect(now().chat.messages[1].text).toBe('some more');
    chat.stop();
    expect(sent('stop')[0]).toMatchObject({ shown: 9 });
    expect(draft()).toBe('');
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
    const other = new ShownChat(desk, CHAT);
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

describe('chats', () => {
  it('are remembered over a reload', () => {
    running();
    expect(remembered).toEqual([CHAT]);
    show(null);
    expect(remembered).toEqual([CHAT, null]);
    delta(2, 9, 'x');
    expect(now().chat.messages).toEqual([]);
  });

  it('that were left are followed until nothing is made in them', () => {
    running();
    show(null);
    expect(sent('close')).toEqual([]);
    server().say({ type: 'chat', chat: { ...meta, state: 'generating' } });
    clock.advance(1000);
    expect(sent('close')).toEqual([]);
    server().say({ type: 'chat', chat: { ...meta, state: 'idle' } });
    end(2, 'completed', 'some text');
    clock.advance(1000);
    expect(sent('close')).toEqual([{ type: 'close', chat_id: CHAT }]);
  });

  it('that are opened again meanwhile are followed on', () => {
    running();
    show(null);
    server().say({ type: 'chat', chat: { ...meta, state: 'idle' } });
    show(CHAT);
    clock.advance(1000);
    expect(sent('close')).toEqual([]);
  });

  it('that are idle are left at once', () => {
    running();
    end(2, 'completed', 'some text');
    show(null);
    expect(sent('close')).toHaveLength(1);
  });

  it('that are deleted make room for a new one', () => {
    running();
    server().say({ type: 'chat', chat: meta, deleted: true });
    expect(now().chat.chatId).toBeNull();
    expect(mode()).toBe('send');
    expect(remembered.at(-1)).toBeNull();
  });

  it('that are not shown are gone on with after a reconnect', () => {
    running();
    show(null);
    server().drop();
    clock.advance(300);
    server().greet();
    expect(sent('open')).toEqual([
      { type: 'open', chat_id: CHAT, offsets: { [uuid(1)]: 8, [uuid(2)]: 9 }, epoch: 'e1' }
    ]);
  });

  it('keep what was typed in them', () => {
    running();
    end(2, 'completed', 'some text');
    chat.edit('for this chat');
    show(null);
    expect(draft()).toBe('');
    expect(sent('close')).toEqual([]);
    show(CHAT);
    expect(draft()).toBe('for this chat');
  });

  it('keep what was typed in a new one that was left', () => {
    running();
    show(null);
    chat.edit('for a new chat');
    show(CHAT);
    show(null);
    expect(draft()).toBe('for a new chat');
  });

  it('tell of a reply that ends while they are not shown, and once', () => {
    running();
    show(null);
    end(2, 'completed', 'some text');
    end(2, 'completed', 'some text');
    expect(ends.map(view => view.id)).toEqual([uuid(2)]);
  });

  it('tell of a reply that ended while there was no connection', () => {
    running();
    show(null);
    server().drop();
    clock.advance(300);
    server().greet();
    const messages = [prompt(1, 'question'), reply(2, { state: 'completed', text: 'some text' })];
    server().say({ type: 'chat', chat: meta, messages });
    expect(ends.map(view => view.info.state)).toEqual(['completed']);
  });

  it('tell nothing of replies that had ended before', () => {
    start(CHAT);
    server().greet();
    const messages = [prompt(1, 'question'), reply(2, { state: 'completed', text: 'some text' })];
    server().say({ type: 'chat', chat: meta, messages });
    expect(ends).toEqual([]);
  });
});

describe('several views', () => {
  it('of one chat are in step, at the press of Stop too', () => {
    running();
    const other = new ShownChat(desk, CHAT);
    expect(other.controller).toBe(chat);
    expect(sent('open')).toEqual([]);
    other.controller.stop();
    expect(mode()).toBe('stopping');
    expect(draft()).toBe('question');
    other.dispose();
    expect(sent('close')).toEqual([]);
  });

  it('keep as much of a reply as the furthest of them has shown: that was seen (B4)', () => {
    running();
    chat.reportShown(uuid(2), () => 7);
    const takeBack = chat.reportShown(uuid(2), () => 4);
    chat.reportShown(uuid(2), () => 5);
    takeBack();
    takeBack();
    chat.stop();
    expect(sent('stop')[0]).toMatchObject({ shown: 7 });
  });

  it('of two chats hear each of its own', () => {
    running();
    const OTHER = uuid(0xd0);
    const other = new ShownChat(desk, OTHER);
    const theirs = { ...meta, id: OTHER };
    server().say({ type: 'chat', chat: theirs, messages: [] });
    server().say({ type: 'error', code: 'busy', message: 'Busy.', request_id: R1 });
    expect(other.controller.getSnapshot().chat.notice).toBeNull();
    ask('second');
    server().say({ type: 'error', code: 'busy', message: 'Busy.', request_id: R2 });
    expect(now().chat.notice?.text).toBe('Busy.');
    expect(other.controller.getSnapshot().chat.notice).toBeNull();
    server().say({ type: 'error', code: 'not_saved', message: 'Not saved.' });
    expect(now().chat.notice?.text).toBe('Not saved.');
    expect(other.controller.getSnapshot().chat.notice?.text).toBe('Not saved.');
  });

  it('hear only of what they asked for when it is refused (L5)', () => {
    running();
    ask('second');
    accept(3, R2, 'second', { state: 'queued' });
    const other = new ShownChat(desk, uuid(0xd0));
    server().say({ type: 'chat', chat: { ...meta, id: uuid(0xd0) }, messages: [] });
    const notices = () => [chat, other.controller].map(one => one.getSnapshot().chat.notice?.text);
    const refuse = (message: string, named: object): void =>
      server().say({ type: 'error', code: 'not_possible_now', message, ...named });
    refuse('a', { of: 'unqueue', message_id: uuid(4) });
    expect(notices()).toEqual(['a', undefined]);
    refuse('b', { of: 'resume', chat_id: uuid(0xd0) });
    expect(notices()).toEqual(['a', 'b']);
    refuse('c', { of: 'unqueue', message_id: uuid(0x999) });
    refuse('d', { of: 'ping' });
    refuse('e', { of: 'stop', all: true });
    refuse('f', { of: 'stop', message_id: uuid(2) });
    expect(notices()).toEqual(['a', 'b']);
    chat.stop();
    refuse('g', { of: 'stop', message_id: uuid(2) });
    expect(notices()).toEqual(['g', 'b']);
    desk.stopAll(chat);
    refuse('h', { of: 'stop', all: true });
    expect(notices()).toEqual(['h', 'b']);
    refuse('i', {});
    expect(notices()).toEqual(['i', 'i']);
  });

  it('lose no prompt because its stop failed (L5)', () => {
    online();
    ask();
    chat.stop();
    server().say({ type: 'error', of: 'stop', code: 'internal', message: 'x', request_id: R1 });
    expect(now().chat.pending).toHaveLength(1);
    accept(1, R1);
    expect(mode()).toBe('stopping');
  });

  it('of which one is gone lose that one alone', () => {
    start(CHAT);
    const OTHER = uuid(0xd0);
    const other = new ShownChat(desk, OTHER);
    server().greet();
    server().say({ type: 'error', code: 'unknown_chat', message: 'No.', chat_id: OTHER });
    expect(other.controller.chatId).toBeNull();
    expect(chat.chatId).toBe(CHAT);
    expect(now().chat.loading).toBe(true);
  });

  it('are all stopped by "Stop all", those that are left too', () => {
    running();
    show(null);
    chat.edit('elsewhere');
    desk.stopAll(chat);
    expect(sent('stop')).toEqual([
      { type: 'stop', message_id: uuid(2), shown: 9 },
      { type: 'stop', all: true }
    ]);
    show(CHAT);
    expect(mode()).toBe('stopping');
    expect(draft()).toBe('question');
  });
});

describe('the queue', () => {
  it('lets go of a prompt, and puts it into the input', () => {
    running();
    ask('second');
    accept(3, R2, 'second', { state: 'queued' });
    expect(queued(now().chat)).toHaveLength(1);
    chat.queue.remove(uuid(4), true);
    expect(sent('unqueue')).toEqual([{ type: 'unqueue', message_id: uuid(4) }]);
    expect(draft()).toBe('second');
  });

  const waitingThree = (): void => {
    running();
    for (const n of [3, 5, 7]) {
      accept(n, uuid(0x200 + n), `prompt ${n}`, { state: 'queued' });
    }
  };

  it('is put in another order', () => {
    waitingThree();
    chat.queue.move(uuid(6), -1);
    chat.queue.move(uuid(4), -1);
    chat.queue.move(uuid(8), 1);
    expect(sent('reorder')).toEqual([
      { type: 'reorder', chat_id: CHAT, message_ids: [uuid(6), uuid(4), uuid(8)] }
    ]);
  });

  it('is changed where it is', () => {
    waitingThree();
    expect(chat.queue.edit(uuid(6), '  ')).toBe(false);
    expect(chat.queue.edit(uuid(6), 'other words')).toBe(true);
    const [frame] = sent('edit') as { message_id: string; request_id: string }[];
    expect(frame).toMatchObject({ message_id: uuid(5), body: 'other words' });
    expect(mode()).toBe('stop');
    expect(now().chat.pending).toEqual([]);
    accept(5, frame.request_id, 'other words', { state: 'queued' });
    expect(now().chat.messages.find(view => view.id === uuid(5))?.text).toBe('other words');
    expect(draft()).toBe('');
  });

  it('gives the words back that it did not take', () => {
    waitingThree();
    chat.queue.edit(uuid(6), 'other words');
    const [frame] = sent('edit') as { request_id: string }[];
    const { request_id } = frame;
    server().say({ type: 'error', code: 'not_possible_now', message: 'no', request_id });
    expect(draft()).toBe('other words');
  });

  it('has a prompt that was not given back in it, and not in the input as well', () => {
    waitingThree();
    chat.queue.remove(uuid(6), true);
    expect(draft()).toBe('prompt 5');
    const frame = { type: 'error', code: 'too_fast', message: 'Wait.' } as const;
    server().say({ ...frame, of: 'unqueue', message_id: uuid(6) });
    expect(draft()).toBe('');
    expect(queued(now().chat)).toHaveLength(3);
    server().drop();
    clock.advance(300);
    server().greet();
    server().say({ type: 'chat', chat: meta, messages: now().chat.messages.map(one => one.info) });
    expect(sent('unqueue')).toEqual([]);
  });

  it('is cleared, and goes on after a stop', () => {
    waitingThree();
    chat.queue.resume();
    expect(sent('resume')).toEqual([{ type: 'resume', chat_id: CHAT }]);
    expect(chat.queue.clear()).toBe(true);
    expect(sent('unqueue')).toHaveLength(3);
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
    expect(mode()).toBe('stop');
    chat.stop();
    expect(draft()).toBe('a better question');
    expect(sent('stop')).toMatchObject([{ request_id: frame.request_id }]);
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
    frames = [];
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
    desk.dispose();
    expect(clock.waiting).toBe(0);
    expect(server().closed).toBe(true);
  });
});
