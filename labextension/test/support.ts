/** A clock that moves only when a test says so, and a socket whose other end is the test. */
import { Clock } from '../src/wire/clock';
import { ClientFrame, Message, ServerFrame } from '../src/wire/protocol';
import { SocketLike } from '../src/wire/socket';

export class ScriptedClock implements Clock {
  now = (): number => this._now;

  after = (ms: number, what: () => void): unknown => {
    const entry = { at: this._now + ms, what };
    this._waiting.push(entry);
    return entry;
  };

  cancel = (handle: unknown): void => {
    this._waiting = this._waiting.filter(entry => entry !== handle);
  };

  get waiting(): number {
    return this._waiting.length;
  }

  advance(ms: number): void {
    const end = this._now + ms;
    for (;;) {
      const due = this._waiting
        .filter(entry => entry.at <= end)
        .sort((one, other) => one.at - other.at)[0];
      if (!due) {
        break;
      }
      this.cancel(due);
      this._now = due.at;
      due.what();
    }
    this._now = end;
  }

  private _now = 1000;
  private _waiting: { at: number; what: () => void }[] = [];
}

export class FakeSocket implements SocketLike {
  onopen: SocketLike['onopen'] = null;
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  onerror: SocketLike['onerror'] = null;
  sent: ClientFrame[] = [];
  closed = false;

  send(data: string): void {
    this.sent.push(JSON.parse(data) as ClientFrame);
  }

  close(): void {
    this.closed = true;
  }

  say(frame: ServerFrame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  sayRaw(data: string): void {
    this.onmessage?.({ data });
  }

  greet(epoch = 'e1'): void {
    this.say({
      type: 'welcome',
      protocol: 1,
      epoch,
      user: 'u',
      limits: { max_upload_bytes: 32 * 1024 * 1024, max_frame_bytes: 65536, max_attachments: 20, max_prompt_length: 1000, max_reply_length: 100000 },
      models: [],
      policy: 'queue',
      modes: ['ask', 'agent']
    });
  }

  drop(): void {
    this.onclose?.({});
  }
}

export function uuid(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

export const CHAT = uuid(0xc0);

export function reply(id: number, change: Partial<Message> = {}): Message {
  const text = change.text ?? '';
  return {
    id: uuid(id),
    chat_id: CHAT,
    role: 'assistant',
    text,
    text_offset: 0,
    text_length: (change.text_offset ?? 0) + text.length,
    state: 'generating',
    created_at: '2026-01-01T00:00:00Z',
    made_elsewhere: false,
    attachments: [],
    tools: [],
    ...change
  };
}

export function prompt(id: number, text: string, change: Partial<Message> = {}): Message {
  return reply(id, { role: 'user', text, state: 'completed', ...change });
}
