import { beforeEach, describe, expect, it } from 'vitest';

import {
  byPeriod,
  ChatHistory,
  ChatRoutes,
  fileName,
  Mark,
  PAGE,
  searchable,
  titleWait,
  TITLE_PATIENCE
} from '../../src/stores/history';
import { Chat, Message, Receipt } from '../../src/wire/protocol';
import { reply, uuid } from '../support';

const AT = '2026-01-01T00:00:00Z';
const STOP: Receipt = { reason: 'user', requested_at: AT, provider: 'closed', discarded: false };
const chat = (n: number, change: Partial<Chat> = {}): Chat => ({
  id: uuid(n),
  owner: 'me',
  created_at: AT,
  updated_at: AT,
  state: 'idle',
  title: `Chat ${n}`,
  ...change
});

let asked: object[];
let answers: (Promise<readonly Chat[]> | readonly Chat[])[];
let current: string | null;
let kept: Readonly<Record<string, Mark>>;
let history: ChatHistory;
let refused: boolean;
let hits: Record<string, string> | undefined;

beforeEach(() => {
  asked = [];
  answers = [];
  current = null;
  kept = {};
  refused = false;
  hits = undefined;
  const routes: ChatRoutes = {
    list: async options => {
      asked.push(options);
      return { chats: (await answers.shift()) ?? [], hits };
    },
    add: file => {
      asked.push(file);
      return refused ? Promise.reject(new Error('No.')) : Promise.resolve(chat(9));
    },
    rename: (...args) => {
      asked.push(args);
      return Promise.resolve();
    },
    remove: (...args) => {
      if (refused) {
        return Promise.reject(new Error('No.'));
      }
      asked.push(args);
      return Promise.resolve();
    },
    download: () => Promise.resolve(new Blob())
  };
  history = new ChatHistory({
    routes,
    isShown: chatId => chatId === current,
    marks: {},
    rememberMarks: marks => (kept = marks)
  });
});

const ids = () => history.getSnapshot().chats.map(one => one.id);
const end = (n: number, state: Message['state'], change: Partial<Message> = {}) =>
  history.receive({ type: 'message', message: reply(1, { chat_id: uuid(n), state, ...change }) });

describe('the list', () => {
  it('says why it could not be searched, of the newest search alone', async () => {
    const refuse = (why: string) => Promise.reject(new Error(why));
    answers = [refuse('Search for fewer words.')];
    await history.search('far too much');
    expect(history.getSnapshot().failure).toBe('Search for fewer words.');
    let late: (error: Error) => void = () => undefined;
    answers = [new Promise((_, reject) => (late = reject)), [chat(1)]];
    const long = history.search('far too much');
    await history.search('less');
    late(new Error('Search for fewer words.'));
    await long;
    expect(history.getSnapshot()).toMatchObject({ failure: null, query: 'less' });
  });

  it('asks for no more than an address carries, in whole characters', () => {
    expect(searchable('two words')).toBe('two words');
    expect(searchable('🗼'.repeat(50_000))).toBe('🗼'.repeat(1000));
    expect(encodeURIComponent(searchable(`half ${'🗼'.charAt(0)}`))).toBe('half%20%EF%BF%BD');
  });

  it('is read in pages', async () => {
    answers = [
      Array.from({ length: PAGE }, (_, n) => chat(n)),
      [chat(PAGE - 1), chat(PAGE), chat(PAGE + 1)]
    ];
    await history.search();
    expect(history.getSnapshot().more).toBe(true);
    await history.readMore();
    expect(ids()).toHaveLength(PAGE + 2);
    expect(asked[1]).toEqual({ limit: PAGE, before: uuid(PAGE - 1), query: '' });
    expect(history.getSnapshot().more).toBe(false);
  });

  it('shows what was asked last, whatever answer is last', async () => {
    let late: (chats: readonly Chat[]) => void = () => undefined;
    answers = [new Promise(resolve => (late = resolve)), [chat(2)]];
    const first = history.search('slow');
    await history.search('fast');
    late([chat(1)]);
    await first;
    expect(ids()).toEqual([uuid(2)]);
  });

  it('is as fresh as the frames', async () => {
    answers = [[chat(1), chat(2)]];
    await history.search();
    history.receive({ type: 'chat', chat: chat(2, { updated_at: '2026-01-02T00:00:00Z' }) });
    expect(ids()).toEqual([uuid(2), uuid(1)]);
    history.receive({ type: 'chat', chat: chat(3, { updated_at: '2026-01-03T00:00:00Z' }) });
    history.receive({ type: 'chat', chat: chat(1, { title: 'New title' }) });
    expect(ids()).toEqual([uuid(3), uuid(2), uuid(1)]);
    expect(history.getSnapshot().chats[2].title).toBe('New title');
    history.receive({ type: 'chat', chat: chat(2), deleted: true });
    expect(ids()).toEqual([uuid(3), uuid(1)]);
  });

  it('takes nothing in that does not match', async () => {
    answers = [[chat(1)]];
    await history.search('one');
    history.receive({ type: 'chat', chat: chat(3) });
    expect(ids()).toEqual([uuid(1)]);
  });

  it('says in words what the server did not do', async () => {
    answers = [[chat(1)]];
    await history.search();
    refused = true;
    expect(await history.remove(uuid(1))).toBe(false);
    expect(history.getSnapshot().failure).toBe('No.');
    expect(ids()).toEqual([uuid(1)]);
    refused = false;
    expect(await history.remove(uuid(1))).toBe(true);
    expect(ids()).toEqual([]);
  });
});

describe('marks', () => {
  it('tell how replies ended that nobody looked at', () => {
    end(1, 'completed');
    end(2, 'interrupted', { stop: STOP });
    end(3, 'failed');
    end(4, 'interrupted', { stop: { ...STOP, discarded: true } });
    end(5, 'generating');
    expect(kept).toEqual({ [uuid(1)]: 'unread', [uuid(2)]: 'stopped', [uuid(3)]: 'failed' });
  });

  it('T2: tell a reply that ended early by itself from one that was stopped', () => {
    end(1, 'interrupted', { finish_reason: 'cut_off' });
    end(2, 'interrupted');
    end(3, 'interrupted', { stop: { ...STOP, reason: 'server_restart' } });
    end(4, 'interrupted', { stop: { ...STOP, reason: 'server_gone' } });
    end(5, 'interrupted', { stop: { ...STOP, reason: 'replaced' } });
    expect(kept).toEqual({
      [uuid(1)]: 'early',
      [uuid(2)]: 'early',
      [uuid(3)]: 'early',
      [uuid(4)]: 'early',
      [uuid(5)]: 'stopped'
    });
  });

  it('do not call unread what was looked at', () => {
    current = uuid(1);
    end(1, 'completed');
    end(2, 'completed');
    expect(kept).toEqual({ [uuid(2)]: 'unread' });
    history.seen(uuid(2));
    expect(kept).toEqual({});
  });

  it('go away when the chat goes on', () => {
    end(2, 'failed');
    history.receive({
      type: 'accepted',
      request_id: uuid(9),
      chat_id: uuid(2),
      user_message: reply(3, { chat_id: uuid(2), role: 'user' }),
      message: reply(4, { chat_id: uuid(2) })
    });
    expect(kept).toEqual({});
  });
});

describe('a title', () => {
  it('is awaited while a reply is made and a while after, and then no longer', () => {
    const now = Date.parse(AT);
    const untitled = { title: undefined };
    expect(titleWait(chat(1), now)).toBe(0);
    expect(titleWait(chat(1, { ...untitled, state: 'generating' }), now + 1e9)).toBeGreaterThan(0);
    expect(titleWait(chat(1, untitled), now + 1000)).toBe(TITLE_PATIENCE - 1000);
    expect(titleWait(chat(1, untitled), now + TITLE_PATIENCE)).toBe(0);
  });
});

describe('what is heard while the list is asked for', () => {
  let answer: (chats: readonly Chat[]) => void;
  beforeEach(() => {
    answers = [new Promise<readonly Chat[]>(resolve => (answer = resolve))];
  });

  it('is newer than the answer: what was deleted stays away, what is new is there (U26)', async () => {
    const done = history.search('');
    history.receive({ type: 'chat', chat: chat(1), deleted: true });
    history.receive({ type: 'chat', chat: chat(3) });
    history.receive({ type: 'chat', chat: chat(2, { title: 'Renamed' }) });
    answer([chat(1), chat(2)]);
    await done;
    expect(ids()).toEqual([uuid(3), uuid(2)]);
    expect(history.getSnapshot().chats[1].title).toBe('Renamed');
  });

  it('is newer than older chats that come (U26)', async () => {
    answers.unshift(Array.from({ length: PAGE }, (_, n) => chat(n)));
    await history.search('');
    const done = history.readMore();
    history.receive({ type: 'chat', chat: chat(PAGE), deleted: true });
    answer([chat(PAGE), chat(PAGE + 1)]);
    await done;
    expect(ids()).not.toContain(uuid(PAGE));
    expect(ids()).toContain(uuid(PAGE + 1));
  });

  it('does not bring an old chat to the top that is given a title (U26)', async () => {
    const at = (month: number): Partial<Chat> => ({ updated_at: `2026-0${month}-01T00:00:00Z` });
    answers = [[chat(3, at(3)), chat(1, at(1))]];
    await history.search('');
    history.receive({ type: 'chat', chat: chat(2, at(2)) });
    history.receive({ type: 'chat', chat: chat(4, at(4)) });
    expect(ids()).toEqual([4, 3, 2, 1].map(uuid));
    answers = [Array.from({ length: PAGE }, (_, n) => chat(n + 9, at(5)))];
    await history.search('');
    history.receive({ type: 'chat', chat: chat(2, at(2)) });
    expect(ids()).not.toContain(uuid(2)); // it comes with the older ones
  });
});

describe('what the list says of a chat', () => {
  it('U26: is the line in which the search was found', async () => {
    answers = [Array.from({ length: PAGE }, (_, n) => chat(n)), [chat(PAGE)]];
    hits = { [uuid(1)]: 'the line' };
    await history.search('line');
    expect(history.getSnapshot().hits).toEqual(hits);
    hits = { [uuid(PAGE)]: 'another line' };
    await history.readMore();
    expect(history.getSnapshot().hits).toEqual({ [uuid(1)]: 'the line', ...hits });
    hits = undefined;
    await history.search('');
    expect(history.getSnapshot().hits).toEqual({});
  });

  it('U26: is under the heading of its day, its week or its month', () => {
    const at = (...when: [number, number, number, number]): string => new Date(...when).toISOString();
    const times = [
      at(2026, 2, 9, 8),
      at(2026, 2, 9, 0),
      at(2026, 2, 8, 23),
      at(2026, 2, 3, 1),
      at(2026, 2, 2, 1),
      at(2025, 2, 9, 1)
    ];
    const listed = times.map((updated_at, n) => chat(n, { updated_at }));
    const groups = byPeriod(listed, new Date(2026, 2, 9, 9));
    expect(groups.map(([period, those]) => [period, those.length])).toEqual([
      ['today', 2],
      ['yesterday', 1],
      ['week', 1],
      ['2026-3', 1],
      ['2025-3', 1]
    ]);
  });
});

describe('a chat as a file', () => {
  it('U27: has a clean name', () => {
    expect(fileName('What is 1/2?')).toBe('What is 1 2');
    expect(fileName('  ..a: “b” – c*.  ')).toBe('a b c');
    expect(fileName('Größe नमस्ते')).toBe('Größe नमस्ते');
    expect(fileName('🗼')).toBe('chat');
    expect(fileName('x'.repeat(300))).toBe('x'.repeat(80));
    // no file system takes more than 255 bytes, with an ending and a number
    expect(Buffer.byteLength(fileName('𠀀'.repeat(80)))).toBeLessThanOrEqual(240);
  });

  it('U27: is taken in, or the server says why not', async () => {
    expect(await history.add({ messages: [] })).toEqual(chat(9));
    expect(asked).toEqual([{ messages: [] }]);
  });
});
