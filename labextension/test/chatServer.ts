/** A server of one chat, and a page between which the connection can be cut at each step. */
import { CHAT, FakeSocket, prompt, reply, ScriptedClock, uuid } from './support';
import { ChatController } from '../src/chat/controller';
import { OpenChats } from '../src/chat/openChats';
import { Chat, ClientFrame, Message, ServerFrame } from '../src/wire/protocol';

/** A server with one chat: what is sent twice with one id counts once. */
export class Server {
  messages: Message[] = [];
  paused = false;
  /** What was carried out, by type. */
  done: string[] = [];
  private _known = new Map<string, ServerFrame>();
  private _next = 0x300;

  receive(frame: ClientFrame): ServerFrame[] {
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

export const LONG = 'a long text '.repeat(1000);
export const TEXTS: Record<string, string> = { [uuid(2)]: LONG };

export let clock: ScriptedClock;
export let sockets: FakeSocket[];
export let server: Server;
export let chat: ChatController;
/** Whether the server hears what is sent, and whether its answers arrive. */
export const network = { hears: true, answers: true };

export const socket = (): FakeSocket => sockets[sockets.length - 1];
export const now = () => chat.getSnapshot();
export const text = (n: number) => now().chat.messages.find(one => one.id === uuid(n))?.text;

/** Have the server receive what was sent since, and say what it answers. */
export function exchange(): void {
  for (;;) {
    const frame = socket().sent.shift();
    if (!frame) {
      return;
    }
    const told = network.hears ? server.receive(frame) : [];
    if (network.answers) {
      told.forEach(one => socket().say(one));
    }
  }
}

export function comeBack(): void {
  clock.advance(5000);
  Object.assign(network, { hears: true, answers: true });
  socket().greet();
  exchange();
}

/** Begin anew, with a chat that is opened. */
export function begin(): void {
  clock = new ScriptedClock();
  sockets = [];
  server = new Server();
  Object.assign(network, { hears: true, answers: true });
  let ids = 0x100;
  const openChats = new OpenChats({
    clock,
    connect: () => {
      sockets.push(new FakeSocket());
      return socket();
    },
    makeId: () => uuid((ids += 1)),
    settings: () => ({ onStop: 'keep', policy: null, restorePrompt: true, mode: 'ask' }),
    words: { notConnected: 'offline', noAnswer: 'silence', notReached: 'not reached', promptTooLong: '%1 or %2 KiB', stillUploading: 'not there yet', notGathered: 'not gathered', changedMeanwhile: 'changed', sendAsIs: 'as it is', commandFailed: '%1 failed' },
    nextFrame: what => what()
  });
  chat = openChats.open(CHAT);
  openChats.connect();
}

export function opened(...messages: Message[]): void {
  server.messages = messages;
  socket().greet();
  exchange();
}

export const asked = prompt(1, 'question');
export const ended = (change: Partial<Message> = {}): Message =>
  reply(2, { reply_to: uuid(1), text: 'some', state: 'interrupted', ...change });
export const running = reply(2, { reply_to: uuid(1), text: 'some' });
export const waiting = [3, 5].flatMap(n => [
  prompt(n, `prompt ${n}`, { reply_to: uuid(n - 1) }),
  reply(n + 1, { reply_to: uuid(n), state: 'queued' })
]);
