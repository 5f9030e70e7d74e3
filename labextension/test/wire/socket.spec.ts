import { beforeEach, describe, expect, it } from 'vitest';

import { ServerFrame } from '../../src/wire/protocol';
import { ChatSocket, WELCOME_TIMEOUT } from '../../src/wire/socket';
import { CHAT, FakeSocket, ScriptedClock, uuid } from '../support';

let clock: ScriptedClock;
let sockets: FakeSocket[];
let frames: ServerFrame[];
let states: string[];
let offsets: Record<string, number>;
let socket: ChatSocket;
let refuse: boolean;

beforeEach(() => {
  clock = new ScriptedClock();
  sockets = [];
  frames = [];
  states = [];
  offsets = {};
  refuse = false;
  socket = new ChatSocket({
    clock,
    connect: () => {
      if (refuse) {
        throw new Error('refused');
      }
      sockets.push(new FakeSocket());
      return sockets[sockets.length - 1];
    },
    onFrame: frame => frames.push(frame),
    onState: state => states.push(state),
    offsetsOf: () => offsets
  });
});

const send = (n: number) =>
  ({ type: 'send', request_id: uuid(n), chat_id: null, body: 'hi' }) as const;

describe('connecting', () => {
  it('is connected once the server has said welcome, and not before', () => {
    socket.connect();
    expect(socket.send({ type: 'close', chat_id: CHAT })).toBe(false);
    sockets[0].greet();
    expect(states).toEqual(['connecting', 'connected']);
    expect(socket.send({ type: 'close', chat_id: CHAT })).toBe(true);
    expect(socket.welcome?.epoch).toBe('e1');
  });

  it('backs off 0.3, 1, 3, 5 and 5 s', () => {
    socket.connect();
    for (const [index, wait] of [300, 1000, 3000, 5000, 5000].entries()) {
      sockets[index].drop();
      clock.advance(wait - 1);
      expect(sockets).toHaveLength(index + 1);
      clock.advance(1);
      expect(sockets).toHaveLength(index + 2);
    }
  });

  it('begins the back-off anew after a welcome', () => {
    socket.connect();
    sockets[0].drop();
    clock.advance(300);
    sockets[1].drop();
    clock.advance(1000);
    sockets[2].greet();
    sockets[2].drop();
    clock.advance(300);
    expect(sockets).toHaveLength(4);
  });

  it('gives a silent server up', () => {
    socket.connect();
    clock.advance(WELCOME_TIMEOUT);
    expect(sockets[0].closed).toBe(true);
    clock.advance(300);
    expect(sockets).toHaveLength(2);
  });

  it('tries again when a socket cannot even be made', () => {
    refuse = true;
    socket.connect();
    expect(states).toEqual([]);
    refuse = false;
    clock.advance(300);
    expect(sockets).toHaveLength(1);
  });

  it('ignores what a socket says that was given up', () => {
    socket.connect();
    const old = sockets[0];
    const late = old.onmessage;
    old.drop();
    late?.({ data: JSON.stringify({ type: 'error', code: 'busy', message: 'x' }) });
    expect(frames).toEqual([]);
  });

  it('can be told to try now, and makes no second socket beside one', () => {
    socket.connect();
    sockets[0].drop();
    socket.connect();
    socket.connect();
    clock.advance(10000);
    sockets[1].greet();
    socket.connect();
    expect(sockets.length).toBeLessThanOrEqual(3);
    expect(sockets.filter(one => !one.closed)).toHaveLength(1);
  });

  it('connects no more once it is closed, and leaves no timer', () => {
    socket.connect();
    sockets[0].drop();
    socket.close();
    expect(clock.waiting).toBe(0);
    socket.connect();
    expect(sockets).toHaveLength(1);
  });
});

describe('frames', () => {
  it('outlives what it does not understand', () => {
    socket.connect();
    sockets[0].greet();
    for (const raw of ['', 'x', '[]', 'null', '{}', '{"type":"later"}', '{"type":"toString"}']) {
      sockets[0].sayRaw(raw);
    }
    sockets[0].sayRaw('{"type":"delta","message_id":"","offset":0,"text":"a","part":"text"}');
    expect(frames.map(frame => frame.type)).toEqual(['welcome']);
  });
});

describe('following', () => {
  it('opens a chat again after a reconnection, from where it was (B5)', () => {
    socket.connect();
    socket.follow(CHAT);
    sockets[0].greet('e1');
    expect(sockets[0].sent).toEqual([{ type: 'open', chat_id: CHAT }]);
    offsets = { [uuid(1)]: 7 };
    sockets[0].drop();
    clock.advance(300);
    sockets[1].greet('e2');
    // the epoch is the one in which the offsets were counted
    expect(sockets[1].sent).toEqual([
      { type: 'open', chat_id: CHAT, offsets: { [uuid(1)]: 7 }, epoch: 'e1' }
    ]);
    sockets[1].drop();
    clock.advance(300);
    sockets[2].greet('e2');
    expect(sockets[2].sent[0]).toMatchObject({ epoch: 'e2' });
  });

  it('does not open what was left', () => {
    socket.connect();
    sockets[0].greet();
    socket.follow(CHAT);
    socket.unfollow(CHAT);
    expect(sockets[0].sent.map(frame => frame.type)).toEqual(['open', 'close']);
    sockets[0].drop();
    clock.advance(300);
    sockets[1].greet();
    expect(sockets[1].sent).toEqual([]);
  });
});

describe('prompts', () => {
  it('waits for the connection, and is sent again until it was answered', () => {
    socket.connect();
    socket.sendPrompt(send(1));
    sockets[0].greet();
    expect(sockets[0].sent).toHaveLength(1);
    sockets[0].drop();
    clock.advance(300);
    sockets[1].greet();
    expect(sockets[1].sent).toEqual(sockets[0].sent);
    sockets[1].say({ type: 'error', code: 'busy', message: 'x', request_id: uuid(1) });
    sockets[1].drop();
    clock.advance(300);
    sockets[2].greet();
    expect(sockets[2].sent).toEqual([]);
  });

  it('tells whether a prompt that is taken back had left the page', () => {
    socket.connect();
    socket.sendPrompt(send(1));
    expect(socket.withdraw(uuid(1))).toBe(true);
    sockets[0].greet();
    expect(sockets[0].sent).toEqual([]);
    socket.sendPrompt(send(2));
    expect(socket.withdraw(uuid(2))).toBe(false);
    expect(socket.withdraw(uuid(3))).toBe(false);
  });
});
