import { describe, expect, it } from 'vitest';

import { MessageView, newView } from '../../src/chat/messages';
import { Message } from '../../src/wire/protocol';
import { choose, line, versions } from '../../src/chat/versions';
import { prompt, reply, uuid } from '../support';

const views = (...messages: Message[]): MessageView[] => messages.map(one => newView(one).view);
const ids = (shown: readonly MessageView[]) => shown.map(view => parseInt(view.id.slice(-4), 16));
const answer = (id: number, to: number, of?: number): Message =>
  reply(id, { state: 'completed', reply_to: uuid(to), version_of: of ? uuid(of) : undefined });
const ask = (id: number, to?: number, of?: number): Message =>
  prompt(id, 'x', { reply_to: to ? uuid(to) : undefined, version_of: of ? uuid(of) : undefined });

/** Two prompts; the first reply was made anew and gone on from, then the first prompt changed. */
const tree = views(
  ask(1),
  answer(2, 1),
  ask(3, 2),
  answer(4, 3),
  answer(5, 1, 2),
  ask(6, 5),
  answer(7, 6),
  ask(8, undefined, 1),
  answer(9, 8)
);

describe('the line through a chat', () => {
  it('leads to the newest message', () => {
    expect(ids(line(tree, {}))).toEqual([8, 9]);
  });

  it('follows what was chosen, and is newest below it', () => {
    let choices = choose(tree, {}, uuid(1));
    expect(ids(line(tree, choices))).toEqual([1, 5, 6, 7]);
    choices = choose(tree, choices, uuid(2));
    expect(ids(line(tree, choices))).toEqual([1, 2, 3, 4]);
    choices = choose(tree, choices, uuid(8));
    expect(ids(line(tree, choices))).toEqual([8, 9]);
    choices = choose(tree, choices, uuid(1));
    expect(ids(line(tree, choices))).toEqual([1, 2, 3, 4]);
  });

  it('is not led astray by a choice that is gone', () => {
    expect(ids(line(tree, { '': uuid(99), [uuid(8)]: uuid(2) }))).toEqual([8, 9]);
    expect(choose(tree, {}, uuid(99))).toEqual({});
  });

  it('is found in a chat of any length', () => {
    const long = views(ask(1), answer(2, 1));
    for (let n = 3; n < 20000; n += 2) {
      long.push(...views(ask(n, n - 1), answer(n + 1, n)));
    }
    expect(line(long, {})).toHaveLength(long.length);
  });
});

describe('versions', () => {
  it('are counted where a message was made anew or changed', () => {
    const found = versions(tree);
    expect(found.get(uuid(5))).toEqual({ at: 1, ids: [uuid(2), uuid(5)] });
    expect(found.get(uuid(1))).toEqual({ at: 0, ids: [uuid(1), uuid(8)] });
    expect(found.has(uuid(4))).toBe(false);
  });

  it('are no attempts that came to nothing, but the last one (U31)', () => {
    const tried = (id: number, change: Partial<Message> = {}, of = 2): Message =>
      reply(id, {
        state: 'failed',
        reply_to: uuid(1),
        version_of: id === of ? undefined : uuid(of),
        ...change
      });
    const counted = (...messages: Message[]): number[][] => [
      ...new Set([...versions(views(ask(1), ...messages)).values()].map(one => one.ids))
    ].map(found => found.map(id => parseInt(id.slice(-4), 16)));
    expect(counted(tried(2), tried(3))).toEqual([]);
    expect(counted(tried(2), answer(3, 1, 2))).toEqual([]);
    expect(counted(tried(2), tried(3, { state: 'interrupted' }), tried(4, { state: 'generating' }))).toEqual([]);
    expect(counted(answer(2, 1), tried(3), answer(4, 1, 2), tried(5))).toEqual([[2, 4, 5]]);
    // what has words, or tools, or is gone on from is one
    expect(counted(tried(2, { text: 'Words', text_length: 5 }), answer(3, 1, 2))).toEqual([[2, 3]]);
    const tools = [{ call_id: 'c', name: 'look', state: 'completed' as const }];
    expect(counted(tried(2, { tools }), answer(3, 1, 2))).toEqual([[2, 3]]);
    expect(counted(tried(2), ask(3, 2), answer(4, 3), answer(5, 1, 2))).toEqual([[2, 5]]);
  });

  it('are none in a plain chat, and survive a circle', () => {
    expect(versions(views(ask(1), answer(2, 1))).size).toBe(0);
    expect(versions(views(answer(1, 9, 2), answer(2, 9, 1))).size).toBe(0);
  });
});
