/** What goes with a prompt besides what is attached, while it comes and when it cannot be had. */
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ASSUMED, bytesOf } from '../../../src/chat/attachments';
import { originOf, PLACE } from '../../../src/chat/place/mentions';
import { contextWithin, NotGathered, Occasion, withoutOrigins } from '../../../src/chat/sending/gathering';
import { modeOf } from '../../../src/chat/state';
import { Attachment, Send } from '../../../src/wire/protocol';
import {
  accept,
  ask,
  begin,
  chat,
  clock,
  draft,
  end,
  gatherBy,
  now,
  placesWritten,
  online,
  R1,
  running,
  sent,
  server,
  show,
  tellOtherTab,
  withoutPlace
} from '../../chatPage';
import { CHAT } from '../../support';

const context = (name: string, text = 'x = 1'): Attachment => ({ name, text, kind: 'context' });
const HERE = context('Notebook: a.ipynb, cell 1');
const CELL = context('@cell – cell 1 of a.ipynb');
const MINE: Attachment = { name: 'mine.txt', text: 'mine' };
const attached = (at = 0): readonly Attachment[] | undefined =>
  (sent('send')[at] as Send | undefined)?.attachments;

/** Put what is newer behind what is attached, as the page does. */
const withNewer = (attached: readonly Attachment[], newer: readonly Attachment[]): Attachment[] => [
  ...withoutOrigins(attached, newer.map(one => originOf(one.name))),
  ...newer
];

/** A gathering that answers when it is told to. */
function waiting(): { occasion: () => Occasion; answer: (found: Attachment[]) => Promise<void>; fail: (error: unknown) => Promise<void> } {
  let given: Occasion;
  let answer: (found: Attachment[]) => void;
  let fail: (error: unknown) => void;
  gatherBy(occasion => {
    given = occasion;
    return new Promise((resolve, reject) => ([answer, fail] = [resolve, reject]));
  });
  const settle = async (): Promise<void> => {
    await Promise.resolve();
    await Promise.resolve();
  };
  return {
    occasion: () => given,
    answer: async found => (answer(found), settle()),
    fail: async error => (fail(error), settle())
  };
}

beforeEach(begin);

describe('what is there at once', () => {
  it('goes with the prompt in the same moment, behind what is attached', () => {
    gatherBy(({ draft }) => withNewer(draft.attachments, [CELL, HERE]));
    online();
    chat.attach([MINE]);
    ask('why?');
    expect(attached()).toEqual([MINE, CELL, HERE]);
    expect(draft()).toBe('');
  });

  it('is not doubled when Stop gave the prompt back, and is what holds then', () => {
    let text = 'before';
    gatherBy(({ draft }) =>
      withNewer(draft.attachments, [context(CELL.name, text), context(HERE.name, text)])
    );
    online();
    chat.attach([MINE]);
    ask('why?');
    chat.stop();
    accept(1, R1, 'why?', {});
    end(2, 'interrupted', '');
    expect(now().prompt.draft.attachments).toHaveLength(3);
    text = 'after';
    clock.advance(500);
    chat.send();
    expect(attached(1)).toEqual([MINE, context(CELL.name, 'after'), context(HERE.name, 'after')]);
  });

  it('is sent as it was then where it cannot be told anew, unless it is removed', () => {
    gatherBy(() => [HERE]);
    online();
    ask('why?');
    chat.stop();
    accept(1, R1, 'why?', {});
    end(2, 'interrupted', '');
    gatherBy(({ draft }) => withNewer(draft.attachments, []));
    chat.send();
    expect(attached(1)).toEqual([HERE]);
  });

  it('refuses in a sentence, and can be left out', () => {
    gatherBy(({ wordsOnly }) => {
      if (wordsOnly) {
        return [HERE];
      }
      throw new NotGathered('no cell');
    });
    online();
    ask('why @cell?');
    expect(sent('send')).toEqual([]);
    expect(draft()).toBe('why @cell?');
    const { notice } = now().chat;
    expect([notice?.text, notice?.offer?.label]).toEqual(['no cell', 'as it is']);
    notice?.offer?.accept();
    expect((sent('send')[0] as Send).body).toBe('why @cell?');
    expect(attached()).toEqual([HERE]);
  });
});

describe('what has to be waited for', () => {
  it('leaves the prompt where it is, and the button to stop it', async () => {
    const { answer } = waiting();
    online();
    ask('see @file:a.txt');
    expect(modeOf(now())).toBe('stop');
    chat.send();
    chat.send(); // a second Enter sends nothing
    expect([draft(), sent('send')]).toEqual(['see @file:a.txt', []]);
    await answer([context('@file:a.txt')]);
    expect(attached()).toEqual([context('@file:a.txt')]);
    expect([draft(), now().gathering]).toEqual(['', false]);
  });

  it('is given up by Stop, and comes too late then', async () => {
    const { answer, occasion } = waiting();
    online();
    ask('see @file:a.txt');
    expect(chat.stop()).toBe(true);
    expect(occasion().signal.aborted).toBe(true);
    expect(modeOf(now())).toBe('send');
    await answer([context('@file:a.txt')]);
    expect([draft(), sent('send')]).toEqual(['see @file:a.txt', []]);
    chat.click(); // the second half of a double click on Stop
    expect(now().gathering).toBe(false);
    clock.advance(500);
    chat.click();
    expect(now().gathering).toBe(true);
  });

  it('is given up by a stop of all replies as well', async () => {
    const { answer, occasion } = waiting();
    online();
    ask('and @variables?');
    chat.stopAll();
    expect(occasion().signal.aborted).toBe(true);
    await answer([CELL]);
    expect(sent('send')).toEqual([]);
    expect(draft()).toBe('and @variables?');
  });

  it.each([
    ['a file is on its way', () => void chat.beginUpload('a.png', () => undefined), [CELL]],
    ['it is too long', () => undefined, [context('@file:a', 'x'.repeat(ASSUMED.max_frame_bytes))]]
  ])('stops no reply where nothing goes in its place: %s', async (_, happens, found) => {
    online();
    running();
    const { answer } = waiting();
    chat.edit('and @variables?');
    expect(chat.stopAndSend()).toBe(true);
    happens();
    await answer(found);
    expect(sent('stop')).toEqual([]);
    expect(sent('send')).toHaveLength(1);
    expect(draft()).toBe('and @variables?');
  });

  it('does not keep Stop from the reply', () => {
    running();
    waiting();
    ask('and @variables?');
    expect(chat.stop()).toBe(true);
    expect(sent('stop')).toHaveLength(1);
    expect(now().gathering).toBe(false);
    expect(draft()).toBe('and @variables?');
  });

  it('stops the reply only once it is there, where the prompt goes first', async () => {
    running();
    const { answer } = waiting();
    chat.edit('and @variables?');
    chat.stopAndSend();
    expect(sent('stop')).toEqual([]);
    await answer([]);
    expect(sent('stop')).toHaveLength(1);
    expect((sent('send')[1] as Send).policy).toBe('interrupt');
  });

  it('sends nothing that was changed meanwhile', async () => {
    const { answer } = waiting();
    online();
    ask('see @file:a.txt');
    chat.edit('see @file:a.txt and more');
    await answer([]);
    expect([draft(), sent('send')]).toEqual(['see @file:a.txt and more', []]);
    expect(now().chat.notice?.text).toBe('changed');
  });

  it('loses nothing where it fails, with no word of the failure itself', async () => {
    const { fail } = waiting();
    online();
    ask('see @file:a.txt');
    await fail(new Error('/secret/path'));
    expect([draft(), sent('send'), now().gathering]).toEqual(['see @file:a.txt', [], false]);
    expect(now().chat.notice?.text).toBe('not gathered');
  });

  it('ends with the chat', async () => {
    const { answer, occasion } = waiting();
    online();
    ask('see @file:a.txt');
    chat.dispose();
    expect(occasion().signal.aborted).toBe(true);
    await answer([]);
    expect(sent('send')).toEqual([]);
  });
});

describe('where the person is', () => {
  it('stays untold in a chat that has its id only after its first prompt', () => {
    const told: boolean[] = [];
    gatherBy(occasion => (told.push(occasion.withoutPlace), []));
    online();
    chat.perChat.tellPlace(false);
    expect([...withoutPlace]).toEqual([]);
    ask();
    accept(1, R1);
    expect([...withoutPlace]).toEqual([CHAT]);
    end(2, 'completed', 'yes');
    show(null);
    expect(now().withoutPlace).toBe(false);
    show(CHAT);
    expect(now().withoutPlace).toBe(true);
    chat.perChat.tellPlace(true);
    expect([...withoutPlace]).toEqual([]);
    ask();
    expect(told).toEqual([true, false]);
  });

  it('is told no more where another tab of the browser has turned it off', () => {
    const told: boolean[] = [];
    gatherBy(occasion => (told.push(occasion.withoutPlace), []));
    running();
    end(2, 'completed', 'yes');
    withoutPlace.add(CHAT);
    tellOtherTab();
    expect([now().withoutPlace, placesWritten]).toEqual([true, 0]); // there, something newer may be by now
    ask();
    expect(told).toEqual([false, true]);
    withoutPlace.clear();
    tellOtherTab();
    expect(now().withoutPlace).toBe(false);
    // a new chat has no id yet, and is nobody else's
    show(null);
    chat.perChat.tellPlace(false);
    tellOtherTab();
    expect(now().withoutPlace).toBe(true);
  });

  it('is told again in the new chat that a deleted one becomes', () => {
    running();
    chat.perChat.tellPlace(false);
    server().say({ type: 'chat', chat: { id: CHAT, owner: 'me', created_at: '', updated_at: '', state: 'idle' }, deleted: true });
    expect([chat.chatId, now().withoutPlace]).toEqual([null, false]);
    expect([...withoutPlace]).toEqual([CHAT]);
  });

  it('shrinks with what the model and the frame take, to nothing', () => {
    const make = (most: number): Attachment => context('Notebook: a', 'x'.repeat(most));
    const room = { text: 'why?', attachments: [] };
    const length = (tokens?: number, text = 'why?', limits = ASSUMED): number =>
      contextWithin(limits, { ...room, text, tokens }, make)?.text.length ?? 0;
    expect(length()).toBe(8000);
    expect(length(100_000)).toBe(8000);
    expect(length(4000)).toBe(2400);
    expect(length(500)).toBe(0);
    expect(length(4000, 'y'.repeat(5000))).toBeLessThan(2400);
    expect(length(4000, 'y'.repeat(8000))).toBe(0);
    const narrow = { ...ASSUMED, max_frame_bytes: 6000 };
    expect(length(undefined, 'y', narrow)).toBe(4000);
    const full = { ...room, attachments: Array<Attachment>(20).fill(MINE) };
    expect(contextWithin(ASSUMED, full, make)).toBeNull();
    expect(contextWithin(ASSUMED, room, () => null)).toBeNull();
    const wide = contextWithin({ ...ASSUMED, max_frame_bytes: 9000 }, room, most => context('n', '字'.repeat(most)));
    expect(bytesOf(wide)).toBeLessThan(9000);
  });
});

it('takes the place of what is older of one origin, and of nothing else', () => {
  const older = [MINE, CELL, HERE, { ...MINE, name: '@cell – x' }];
  expect(withoutOrigins(older, ['@cell'])).toEqual([MINE, HERE, older[3]]);
  expect(withoutOrigins(older, [PLACE])).toEqual([MINE, CELL, older[3]]);
  expect(withoutOrigins(older, [])).toEqual(older);
});

describe('a command that was chosen', () => {
  it('may change what the input holds, but nothing that was typed meanwhile', async () => {
    online();
    chat.edit('the loop');
    await chat.run({ name: 'fix', description: '', run: words => `Fix ${words}` }, 'the loop');
    expect(draft()).toBe('Fix the loop');
    const slow = chat.run({ name: 'slow', description: '', run: () => Promise.resolve('late') }, '');
    chat.edit('typed');
    await slow;
    expect(draft()).toBe('typed');
  });

  it('that fails says so, and no more', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    online();
    await chat.run({ name: 'bad', description: '', run: () => Promise.reject(new Error('a secret')) }, '');
    expect(now().chat.notice?.text).toBe('/bad failed');
    expect(log).toHaveBeenCalledOnce();
    log.mockRestore();
  });
});
