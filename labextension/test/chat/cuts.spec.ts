/** Each request of the page, with the connection cut at each of its steps. */
import { beforeEach, describe, expect, it } from 'vitest';

import { ChatController } from '../../src/chat/controller';
import { Desk } from '../../src/chat/desk';
import { Chat, ClientFrame, Message, ServerFrame } from '../../src/wire/protocol';
import { buttonMode, queued } from '../../src/chat/selectors';
import { PATIENCE, QUIET } from '../../src/wire/socket';
import { GIVE_UP, SILENT } from '../../src/chat/stop/delivery';
import { CHAT, FakeSocket, prompt, reply, ScriptedClock, uuid } from '../support';

/** A server with one chat: what is sent twice with one id counts once. */
class Server {
  messages: Message[] = [];
  paused = false;
  /** What was carried out, by type. */
  done: string[] = [];
  private _known = new Map<string, ServerFrame>();
  private _next = 0x300;

  take(frame: ClientFrame): ServerFrame[] {
    switch (frame.type) {
      case 'open':
        return [{ type: 'chat', chat: this.chat, messages: this.messages }];
      case 'send':
      case 'regenerate':
      case 'continue':
      case 'edit': {
        const known = this._known.get(frame.request_id) ?? this._make(frame);
        this._known.set(frame.request_id, known);
        return [known];
      }
      case 'stop': {
        this.done.push('stop');
        const message_id = frame.message_id ?? '';
        this._change(message_id, { state: 'interrupted' });
        const message = this._find(message_id);
        const results = [{ message_id, outcome: 'interrupted' as const }];
        return [{ type: 'message', message }, { type: 'stop_result', message_id, results }];
      }
      case 'unqueue': {
        this.done.push('unqueue');
        const stop = { reason: 'user', requested_at: '', provider: 'not_started', discarded: true };
        this._change(frame.message_id, { state: 'interrupted', stop: stop as Message['stop'] });
        return [{ type: 'message', message: this._find(frame.message_id) }];
      }
      case 'reorder': {
        this.done.push('reorder');
        let before = uuid(2);
        for (const id of frame.message_ids) {
          this._change(this._find(id).reply_to, { reply_to: before });
          before = id;
        }
        const prompts = frame.message_ids.map(id => this._find(this._find(id).reply_to));
        return prompts.map(message => ({ type: 'message', message }));
      }
      case 'resume':
        this.done.push('resume');
        this.paused = false;
        return [{ type: 'chat', chat: this.chat }];
      case 'read': {
        const pieces = frame.wanted.map(one => {
          const text = TEXTS[one.message_id];
          const { message_id, part, at = 0, offset = 0 } = one;
          return { message_id, part, at, offset, text: text.slice(offset), length: text.length };
        });
        return [{ type: 'pieces', request_id: frame.request_id, chat_id: CHAT, pieces }];
      }
      case 'ping':
        return [{ type: 'pong' }];
      default:
        return [];
    }
  }

  get chat(): Chat {
    const state = this.paused ? 'paused' : 'idle';
    return { id: CHAT, owner: 'o', created_at: '', updated_at: '', state };
  }

  private _make(frame: ClientFrame & { request_id: string }): ServerFrame {
    this.done.push(frame.type);
    const { request_id } = frame;
    const id = (this._next += 2);
    let asked: Message;
    let made: Message;
    if (frame.type === 'continue') {
      this._change(frame.message_id, { state: 'generating', request_id });
      made = this._find(frame.message_id);
      asked = this._find(made.reply_to);
    } else if (frame.type === 'regenerate') {
      const before = this._find(frame.message_id);
      asked = this._find(before.reply_to);
      made = reply(id, { reply_to: asked.id, version_of: before.id, request_id });
      this.messages.push(made);
    } else {
      const body = (frame as { body: string }).body;
      const waits = frame.type === 'edit' && this._waiting(frame.message_id);
      if (waits) {
        this._change(frame.message_id, { text: body, text_length: body.length });
        asked = this._find(frame.message_id);
        made = waits;
      } else {
        asked = prompt(id, body, { request_id });
        made = reply(id + 1, { reply_to: asked.id, request_id });
        this.messages.push(asked, made);
      }
    }
    return { type: 'accepted', request_id, chat_id: CHAT, user_message: asked, message: made };
  }

  private _waiting(promptId: string): Message | undefined {
    return this.messages.find(one => one.reply_to === promptId && one.state === 'queued');
  }

  private _find(id: string | undefined): Message {
    return this.messages.find(one => one.id === id) as Message;
  }

  private _change(id: string | undefined, change: Partial<Message>): void {
    this.messages = this.messages.map(one => (one.id === id ? { ...one, ...change } : one));
  }
}

const LONG = 'a long text '.repeat(1000);
const TEXTS: Record<string, string> = { [uuid(2)]: LONG };

let clock: ScriptedClock;
let sockets: FakeSocket[];
let server: Server;
let chat: ChatController;
/** The server hears what is sent; and its answers arrive. */
let hears: boolean;
let answers: boolean;

const socket = (): FakeSocket => sockets[sockets.length - 1];
const now = () => chat.getSnapshot();
const text = (n: number) => now().chat.messages.find(one => one.id === uuid(n))?.text;

/** Have the server take what was sent since, and say what it answers. */
function exchange(): void {
  for (;;) {
    const frame = socket().sent.shift();
    if (!frame) {
      return;
    }
    const told = hears ? server.take(frame) : [];
    if (answers) {
      told.forEach(one => socket().say(one));
    }
  }
}

function comeBack(): void {
  clock.advance(5000);
  [hears, answers] = [true, true];
  socket().greet();
  exchange();
}

beforeEach(() => {
  clock = new ScriptedClock();
  sockets = [];
  server = new Server();
  [hears, answers] = [true, true];
  let ids = 0x100;
  const desk = new Desk({
    clock,
    connect: () => {
      sockets.push(new FakeSocket());
      return socket();
    },
    makeId: () => uuid((ids += 1)),
    settings: () => ({ onStop: 'keep', policy: null, restorePrompt: true }),
    words: { notConnected: 'offline', noAnswer: 'silence', promptTooLong: '%1 or %2 KiB' },
    nextFrame: what => what()
  });
  chat = desk.open(CHAT);
  desk.connect();
});

function opened(...messages: Message[]): void {
  server.messages = messages;
  socket().greet();
  exchange();
}

const asked = prompt(1, 'question');
const ended = (change: Partial<Message> = {}): Message =>
  reply(2, { reply_to: uuid(1), text: 'some', state: 'interrupted', ...change });
const running = reply(2, { reply_to: uuid(1), text: 'some' });
const waiting = [3, 5].flatMap(n => [
  prompt(n, `prompt ${n}`, { reply_to: uuid(n - 1) }),
  reply(n + 1, { reply_to: uuid(n), state: 'queued' })
]);

interface Row {
  name: string;
  type: ClientFrame['type'];
  messages: Message[];
  paused?: boolean;
  ask: () => void;
  /** What the page shows once it is done. */
  shows: () => unknown;
}

const rows: Row[] = [
  {
    name: 'a prompt',
    type: 'send',
    messages: [asked, ended()],
    ask: () => {
      chat.edit('another question');
      chat.send();
    },
    shows: () => now().chat.messages.filter(one => one.text === 'another question').length === 1
  },
  {
    name: 'a reply made anew',
    type: 'regenerate',
    messages: [asked, ended()],
    ask: () => chat.regenerate(uuid(2)),
    shows: () => now().chat.messages.filter(one => one.info.version_of).length === 1
  },
  {
    name: 'a reply gone on with',
    type: 'continue',
    messages: [asked, ended()],
    ask: () => chat.continueFrom(uuid(2)),
    shows: () => now().chat.messages[1].info.state === 'generating'
  },
  {
    name: 'a changed prompt',
    type: 'edit',
    messages: [asked, ended()],
    ask: () => void chat.editPrompt(uuid(1), 'a better one'),
    shows: () => now().chat.messages.filter(one => one.text === 'a better one').length === 1
  },
  {
    name: 'a changed prompt that waits',
    type: 'edit',
    messages: [asked, running, ...waiting],
    ask: () => void chat.queue.edit(uuid(4), 'a better one'),
    shows: () => text(3) === 'a better one' && now().prompt.draft.text === ''
  },
  {
    name: 'a prompt taken out of the queue',
    type: 'unqueue',
    messages: [asked, running, ...waiting],
    ask: () => chat.queue.remove(uuid(4), true),
    shows: () => queued(now().chat).length === 1 && now().prompt.draft.text === 'prompt 3'
  },
  {
    name: 'another order',
    type: 'reorder',
    messages: [asked, running, ...waiting],
    ask: () => chat.queue.move(uuid(6), -1),
    shows: () => queued(now().chat)[0]?.id === uuid(6)
  },
  {
    name: 'a queue that goes on',
    type: 'resume',
    messages: [asked, ended(), ...waiting],
    paused: true,
    ask: () => chat.queue.resume(),
    shows: () => now().chat.chat?.state === 'idle'
  },
  {
    name: 'a stop',
    type: 'stop',
    messages: [asked, running],
    ask: () => void chat.stop(),
    shows: () => now().chat.messages[1].info.state === 'interrupted'
  }
];

const steps = ['before it is written', 'before it arrives', 'before its answer', 'after its answer'];

describe.each(rows)('$name', row => {
  it.each(steps)('is done once when the connection is cut %s (B5, V3)', step => {
    server.paused = row.paused ?? false;
    opened(...row.messages);
    if (step === 'before it is written') {
      socket().drop();
      row.ask();
    } else {
      hears = step !== 'before it arrives';
      answers = step === 'after its answer';
      row.ask();
      exchange();
      socket().drop();
    }
    // a stop that cannot be delivered for long is said to have failed; this one can soon be
    clock.advance(300);
    [hears, answers] = [true, true];
    socket().greet();
    exchange();
    clock.advance(500);
    exchange();
    expect(new Set(server.done)).toEqual(new Set([row.type]));
    expect(row.type === 'stop' || server.done.length === 1).toBe(true);
    expect(row.shows()).toBe(true);
    expect(now().chat.pending).toEqual([]);
    expect(now().chat.notice).toBeNull();
    // and nothing is asked again at the next connection
    socket().drop();
    clock.advance(300);
    socket().greet();
    exchange();
    expect(new Set(server.done)).toEqual(new Set([row.type]));
    expect(row.type === 'stop' || server.done.length === 1).toBe(true);
  });
});

describe('what comes too late', () => {
  it('is said: a prompt that began meanwhile was not taken out, and is not in the input too', () => {
    opened(asked, running, ...waiting);
    hears = false;
    chat.queue.remove(uuid(4), true);
    chat.queue.edit(uuid(6), 'other words');
    expect(now().prompt.draft.text).toBe('prompt 3');
    exchange();
    socket().drop();
    server.messages = server.messages.map(one =>
      one.state === 'queued' ? { ...one, state: 'generating' as const } : one
    );
    server.messages[1] = ended();
    comeBack();
    expect(server.done).toEqual([]);
    // the words of the edit are nowhere else
    expect(now().prompt.draft.text).toBe('other words');
    expect(now().prompt.chip).toBeNull();
  });

  it('is taken back: a request that never left the page', () => {
    opened(asked, ended());
    socket().drop();
    chat.regenerate(uuid(2));
    expect(buttonMode(now().chat)).toBe('stop');
    chat.stop();
    expect(buttonMode(now().chat)).toBe('send');
    comeBack();
    expect(server.done).toEqual([]);
  });
});

describe('a chat that cannot be opened', () => {
  const refuse = (): void =>
    socket().say({ type: 'error', code: 'internal', message: 'No disk.', chat_id: CHAT });

  it('says so, is asked for again after a pause, and at the press of Retry (B5)', () => {
    socket().greet();
    socket().sent = [];
    refuse();
    expect(now().chat).toMatchObject({ loading: true, trouble: 'No disk.', notice: null });
    clock.advance(999);
    expect(socket().sent).toEqual([]);
    clock.advance(1);
    expect(socket().sent.map(frame => frame.type)).toEqual(['open']);
    refuse();
    chat.openAgain();
    expect(now().chat.trouble).toBeNull();
    expect(socket().sent).toHaveLength(2);
    server.messages = [asked, ended()];
    exchange();
    expect(now().chat).toMatchObject({ loading: false, trouble: null });
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
    hears = true;
    server.messages = [asked, partly()];
    socket().greet();
    exchange();
    hears = step === 'before its answer';
    answers = false;
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
    const [stale] = server.take(frame);
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
    answers = false;
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
    hears = false;
    chat.stop();
    clock.advance(SILENT - 1);
    exchange();
    expect(sockets).toHaveLength(1);
    clock.advance(1);
    expect(sockets).toHaveLength(2);
    hears = true;
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
