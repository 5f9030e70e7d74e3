/** Several chats, and several views of them. */
import { beforeEach, describe, expect, it } from 'vitest';

import {
  begin,
  clock,
  remembered,
  openChats,
  chat,
  ends,
  R1,
  R2,
  start,
  show,
  meta,
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
import { ShownChat } from '../../src/chat/shownChat';
import { CHAT, prompt, reply, uuid } from '../support';

beforeEach(begin);

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
    const other = new ShownChat(openChats, CHAT);
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
    const other = new ShownChat(openChats, OTHER);
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

  it('are told of other servers, unless something graver is', () => {
    const late = { type: 'error', code: 'others_late', message: 'Late.' } as const;
    const notice = () => now().chat.notice?.text;
    running();
    server().say({ type: 'error', code: 'newer_database', message: 'Newer.' });
    server().say(late);
    expect(notice()).toBe('Newer.');
    server().say({ type: 'error', code: 'saved_again', message: 'Saved.' });
    server().say(late);
    expect(notice()).toBe('Late.');
    ask('second');
    expect(notice()).toBe('Late.');
    server().say({ type: 'error', code: 'not_saved', message: 'Not saved.' });
    server().say(late);
    server().say({ type: 'error', code: 'others_again', message: 'At once.' });
    expect(notice()).toBe('Not saved.');
    server().say({ type: 'error', code: 'saved_again', message: 'Saved.' });
    server().say({ type: 'error', code: 'others_again', message: 'At once.' });
    expect(notice()).toBe('At once.');
  });

  it('hear only of what they asked for when it is refused (L5)', () => {
    running();
    ask('second');
    accept(3, R2, 'second', { state: 'queued' });
    const other = new ShownChat(openChats, uuid(0xd0));
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
    openChats.stopAll(chat);
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
    const other = new ShownChat(openChats, OTHER);
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
    openChats.stopAll(chat);
    expect(sent('stop')).toEqual([
      { type: 'stop', message_id: uuid(2), shown: 9 },
      { type: 'stop', all: true, press: expect.any(String) as string }
    ]);
    show(CHAT);
    expect(mode()).toBe('stopping');
    expect(draft()).toBe('question');
  });
});
