/** Stop of a reply that another Jupyter server makes, which is asked to stop it. */
import { beforeEach, describe, expect, it } from 'vitest';

import * as page from '../../chatPage';
import { chat, clock, draft, end, mode, now, server } from '../../chatPage';
import { visible } from '../../../src/chat/selectors';
import { Message, StopResult } from '../../../src/wire/protocol';
import { CHAT, prompt, reply, uuid } from '../../support';

const made = (text: string, change: Partial<Message> = {}): Message =>
  reply(2, {
    ...{ reply_to: uuid(1), request_id: page.R1, made_elsewhere: true, state: 'generating', text },
    ...change
  });
const opens = () => server().sent.filter(frame => frame.type === 'open');
const stops = () => server().sent.filter(frame => frame.type === 'stop');
const view = () => now().chat.messages[1];
const grow = (text: string, offset: number, change: Partial<Message> = {}) =>
  server().say({ type: 'message', message: made(text, { text_offset: offset, text_length: offset + text.length, ...change }) });
const answer = (outcome: StopResult['outcome']) =>
  server().say({
    type: 'stop_result',
    message_id: uuid(2),
    results: [{ message_id: uuid(2), outcome }]
  });
const USER = { reason: 'user', requested_at: '', provider: 'closed', discarded: false } as const;

/** Open the chat in a page that is new, as after a reload. */
function opened(...messages: Message[]): void {
  page.begin();
  page.start(CHAT);
  server().greet();
  const asked = prompt(1, 'question', { request_id: page.R1 });
  server().say({ type: 'chat', chat: page.meta, messages: [asked, ...messages] });
}

beforeEach(() => opened(made('some')));

describe('Stop of a reply that another server makes', () => {
  it('freezes it, and ends it as any other (S1, S2, H4)', () => {
    chat.stop();
    expect(stops()).toEqual([{ type: 'stop', message_id: uuid(2), shown: 4 }]);
    expect(mode()).toBe('stopping');
    expect(draft()).toBe('question');
    grow(' and late', 4);
    grow('', 13, { state: 'stopping' });
    expect(view().text).toBe('some');
    end(2, 'interrupted', 'some', { stop: USER });
    answer('interrupted');
    expect([mode(), draft(), view().text]).toEqual(['send', 'question', 'some']);
    expect(view().stopFailed).toBeNull();
    clock.advance(60_000);
    expect(stops()).toHaveLength(1);
  });

  it('reads its end where the answer comes sooner than that (H4)', () => {
    const before = opens().length;
    chat.stop();
    answer('interrupted');
    expect(opens()).toHaveLength(before + 1);
    expect(mode()).toBe('stopping');
    const ended = made('some', { state: 'interrupted', made_elsewhere: false, stop: USER });
    const asked = prompt(1, 'question', { request_id: page.R1 });
    server().say({ type: 'chat', chat: page.meta, messages: [asked, ended] });
    expect([mode(), view().text]).toEqual(['send', 'some']);
  });

  it('lets it go on where its server does not answer, and says so (H4)', () => {
    chat.stop();
    grow(' and late', 4);
    answer('made_elsewhere');
    expect(view().text).toBe('some and late');
    expect(view().stopFailed).toBe('not reached');
    expect([mode(), draft()]).toEqual(['stop', '']);
    grow(' and more', 13);
    expect(view().text).toBe('some and late and more');
    clock.advance(10_000); // no try is still to come
    expect(view().stopFailed).toBe('not reached');
    expect(stops()).toHaveLength(1);
  });

  it('asks again when it is pressed again (H4)', () => {
    chat.stop();
    answer('made_elsewhere');
    chat.stop();
    expect([mode(), draft(), view().stopFailed]).toEqual(['stopping', 'question', null]);
    expect(stops()).toHaveLength(2);
    answer('made_elsewhere');
    expect([mode(), draft()]).toEqual(['stop', '']);
    chat.stop();
    end(2, 'interrupted', 'some', { stop: USER });
    answer('interrupted');
    expect([mode(), draft(), view().text]).toEqual(['send', 'question', 'some']);
    expect(now().prompt.chip).toBeNull();
  });

  it('gives the prompt back when the stop that was left is carried out (S2, H4)', () => {
    chat.stop();
    answer('made_elsewhere');
    grow(' and more', 4);
    grow('', 13, { state: 'stopping' });
    expect([mode(), view().stopFailed]).toEqual(['stopping', null]);
    expect(draft()).toBe('');
    end(2, 'interrupted', 'some and more and', { stop: USER });
    expect([mode(), draft()]).toEqual(['send', 'question']);
    expect(view()).toMatchObject({ text: 'some and more and', cut: null, stopFailed: null });
    chat.edit('another');
    end(2, 'interrupted', 'some and more and', { stop: USER });
    expect([draft(), now().prompt.chip]).toEqual(['another', null]);
  });

  it('keeps a newer draft, with the prompt in a chip (S2)', () => {
    chat.stop();
    answer('made_elsewhere');
    chat.edit('a newer draft');
    end(2, 'interrupted', 'some', { stop: { ...USER, reason: 'server_gone' } });
    expect(draft()).toBe('a newer draft');
    expect(now().prompt.chip?.text).toBe('question');
  });

  it('gives no prompt back that was answered, or is in the input already (S2)', () => {
    chat.stop();
    answer('made_elsewhere');
    end(2, 'completed', 'some and all');
    expect([mode(), draft(), now().prompt.chip]).toEqual(['send', '', null]);

    opened(made('some'));
    chat.stop();
    chat.edit('question, put otherwise');
    answer('made_elsewhere');
    expect(draft()).toBe('question, put otherwise');
    end(2, 'interrupted', 'some', { stop: USER });
    expect([draft(), now().prompt.chip]).toEqual(['question, put otherwise', null]);
  });

  it('is forgotten by a page that was loaded anew, where Stop works as before (B5, H4)', () => {
    chat.stop();
    answer('made_elsewhere');
    opened(made('some and more'));
    expect([mode(), view().stopFailed, draft()]).toEqual(['stop', null, '']);
    chat.stop();
    expect(stops()).toEqual([{ type: 'stop', message_id: uuid(2), shown: 13 }]);
    end(2, 'interrupted', 'some and more', { stop: USER });
    expect([mode(), draft()]).toEqual(['send', 'question']);

    opened(made('some', { state: 'interrupted', made_elsewhere: false, stop: USER }));
    expect([mode(), draft()]).toEqual(['send', '']);
  });

  it('is followed by a page where it was not pressed (B5, H4)', () => {
    grow(' and', 4, { state: 'stopping' });
    expect([mode(), draft(), view().text]).toEqual(['stopping', '', 'some and']);
    grow('', 8); // it is read in the database, which does not say that it stops
    expect(mode()).toBe('stop');
    end(2, 'interrupted', 'some', { stop: USER });
    expect([mode(), draft(), view().text]).toEqual(['send', '', 'some']);
    answer('made_elsewhere'); // late, of a stop that somebody else had pressed
    expect(view().stopFailed).toBeNull();
  });

  it('leaves a reply alone that an answer does not name, or names too late (H4)', () => {
    answer('made_elsewhere');
    expect([mode(), view().stopFailed]).toEqual(['stop', null]);
    chat.stop();
    answer('made_elsewhere');
    answer('made_elsewhere'); // of the second try of the same press
    expect([mode(), view().stopFailed]).toEqual(['stop', 'not reached']);
    end(2, 'interrupted', 'some', { stop: USER });
    answer('made_elsewhere');
    expect([mode(), view().stopFailed]).toEqual(['send', null]);
  });

  it('is told of all that it did not reach (H4)', () => {
    chat.stopAll();
    expect(stops()).toHaveLength(2);
    server().say({
      type: 'stop_result',
      all: true,
      results: [
        { message_id: uuid(77), outcome: 'interrupted' },
        { message_id: uuid(2), outcome: 'made_elsewhere' }
      ]
    });
    expect([mode(), view().stopFailed]).toEqual(['stop', 'not reached']);
  });

  it('waits for longer, since its server is asked first (H4)', () => {
    chat.stop();
    clock.advance(12_999);
    expect([mode(), page.sockets.length]).toEqual(['stopping', 2]);
    clock.advance(1);
    expect([mode(), view().stopFailed]).toEqual(['stop', 'silence']);

    opened(made('some'));
    chat.stop();
    clock.advance(9_999);
    expect(page.sockets).toHaveLength(1);
    clock.advance(1);
    expect(page.sockets).toHaveLength(2);
  });

  it('is sent again once the connection is back (R1)', () => {
    chat.stop();
    server().drop();
    clock.advance(2000);
    server().greet();
    expect(stops()[0]).toEqual({ type: 'stop', message_id: uuid(2), shown: 4 });
    answer('made_elsewhere');
    expect([mode(), view().stopFailed, draft()]).toEqual(['stop', 'not reached', '']);
  });
});

describe('Stop of a prompt that was handed to another server', () => {
  const answerRequest = (result: StopResult) =>
    server().say({ type: 'stop_result', request_id: page.R1, results: [result] });

  beforeEach(() => {
    page.begin();
    page.online();
    page.ask();
    chat.stop();
  });

  it('ends it before it is accepted here (S6, H4)', () => {
    answerRequest({ message_id: uuid(2), outcome: 'interrupted' });
    page.accept(1, page.R1, 'question', { made_elsewhere: true });
    expect(mode()).toBe('stopping');
    end(2, 'interrupted', '', { stop: USER });
    expect([mode(), draft()]).toEqual(['send', 'question']);
  });

  it('lets it go on where its server does not answer (S6, H4)', () => {
    answerRequest({ message_id: uuid(2), outcome: 'made_elsewhere' });
    expect([mode(), draft()]).toEqual(['stop', '']);
    expect(now().chat.pending[0]).toMatchObject({ stopping: false, stopFailed: 'not reached' });
    page.accept(1, page.R1, 'question', { made_elsewhere: true, text: 'some' });
    expect(mode()).toBe('stop');
    expect(visible(now().chat).map(one => one.text)).toEqual(['question', 'some']);
    end(2, 'interrupted', 'some', { stop: USER });
    expect([mode(), draft()]).toEqual(['send', 'question']);
  });

  it('lets it go on where it was accepted meanwhile (S6, H4)', () => {
    page.accept(1, page.R1, 'question', { made_elsewhere: true });
    grow('some', 0);
    expect([mode(), view().text]).toEqual(['stopping', '']);
    answerRequest({ message_id: uuid(2), outcome: 'made_elsewhere' });
    expect([mode(), view().text, view().stopFailed]).toEqual(['stop', 'some', 'not reached']);
    expect(draft()).toBe('');
  });
});
