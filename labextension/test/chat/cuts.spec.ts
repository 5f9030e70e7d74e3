/** Each request of the page, with the connection cut at each of its steps. */
import { beforeEach, describe, expect, it } from 'vitest';

import {
  begin,
  clock,
  server,
  chat,
  network,
  socket,
  now,
  text,
  waiting,
  exchange,
  comeBack,
  opened,
  asked,
  ended,
  running
} from '../chatServer';
import { buttonMode, queued } from '../../src/chat/selectors';
import { ClientFrame, Message } from '../../src/wire/protocol';
import { uuid } from '../support';

beforeEach(begin);

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
      network.hears = step !== 'before it arrives';
      network.answers = step === 'after its answer';
      row.ask();
      exchange();
      socket().drop();
    }
    // a stop that cannot be delivered for long is said to have failed; this one can soon be
    clock.advance(300);
    [network.hears, network.answers] = [true, true];
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
    network.hears = false;
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
