/** The prompts that wait. */
import { beforeEach, describe, expect, it } from 'vitest';

import {
  begin,
  clock,
  chat,
  R2,
  meta,
  server,
  now,
  mode,
  draft,
  sent,
  accept,
  ask,
  running
} from '../../chatPage';
import { queued } from '../../../src/chat/selectors';
import { CHAT, uuid } from '../../support';

beforeEach(begin);

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

  it('is put in order without what is being removed', () => {
    waitingThree();
    chat.queue.remove(uuid(6));
    chat.queue.move(uuid(8), -1);
    expect(sent('reorder')).toEqual([
      { type: 'reorder', chat_id: CHAT, message_ids: [uuid(8), uuid(4)] }
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

  it('U25: is changed with what is attached, and asks again until that is there', () => {
    waitingThree();
    const attachments = ['a', 'b'].map(name => ({ name, text: name }));
    const one = now().chat.messages.find(view => view.id === uuid(5));
    const info = { ...one!.info, attachments };
    server().say({ type: 'message', message: info });
    expect(chat.queue.edit(uuid(6), 'prompt 5', [1])).toBe(true);
    const [frame] = sent('edit') as { request_id: string; keeps: number[] }[];
    expect(frame.keeps).toEqual([1]);
    server().drop();
    clock.advance(300);
    server().greet();
    server().say({ type: 'chat', chat: meta, messages: now().chat.messages.map(view => view.info) });
    expect(sent('edit')).toEqual([frame]); // a new connection: it was asked again
    const left = { ...info, attachments: attachments.slice(1) };
    server().say({ type: 'message', message: left });
    server().drop();
    clock.advance(300);
    server().greet();
    server().say({ type: 'chat', chat: meta, messages: now().chat.messages.map(view => view.info) });
    expect(sent('edit')).toEqual([]);
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
