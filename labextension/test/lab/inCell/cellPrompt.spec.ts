import { beforeEach, describe, expect, it } from 'vitest';

import { CellHandle } from '../../../src/lab/difference/cellHandle';
import { CellPrompt, PromptWords } from '../../../src/lab/inCell/cellPrompt';
import { isTerminal } from '../../../src/wire/guards';
import { accept, ask, begin, chat, delta, draft, end, meta, now, online, openChats, R1, R2, sent, server } from '../../chatPage';
import { CHAT, prompt as promptOf, reply, uuid } from '../../support';

const CODE = '```python\nx = 1\n```\n';

/** A cell of a notebook, without the notebook. */
class FakeCell {
  cell: object | null = {};
  isReadOnly = false;
  isClosed = false;
  index = 0;
  source = '';
  edits = 0;
  private _listeners = new Set<() => void>();

  subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  edit(edits: readonly { from: number; to: number; insert: string }[]): void {
    this.edits += 1;
    for (const { from, to, insert } of [...edits].reverse()) {
      this.source = this.source.slice(0, from) + insert + this.source.slice(to);
    }
    this._tell();
  }

  type(text: string): void {
    this.source = text;
    this._tell();
  }

  dispose(): void {}

  private _tell(): void {
    [...this._listeners].forEach(listener => listener());
  }
}

const words = new Proxy(
  { cannotStop: (why: string) => `cannot stop: ${why}`, failed: (why: string) => `failed: ${why}` },
  { get: (own, name: string) => (name in own ? own[name as keyof typeof own] : name) }
) as unknown as PromptWords;

let cell: FakeCell;
let said: string[];
let stoppedHere: Set<string>;

function make(
  text = 'the code',
  target = cell,
  open: () => Promise<typeof chat> = () => Promise.resolve(chat)
): CellPrompt {
  return new CellPrompt(
    target as unknown as CellHandle,
    {
      words,
      chat: open,
      attachment: () => ({ name: 'Cell 1', text: 'about it' }),
      codeOf: code => code,
      onAsked: () => undefined,
      announce: one => said.push(one),
      stoppedHere
    },
    text
  );
}

beforeEach(() => {
  begin();
  online();
  cell = new FakeCell();
  said = [];
  stoppedHere = new Set();
});

describe('a prompt in a cell', () => {
  it('shows the code as it comes, and changes nothing before it is accepted (C6)', async () => {
    const prompt = make();
    chat.edit('a draft');
    await prompt.ask();
    expect(sent('send')).toMatchObject([{ body: 'the code', attachments: [{ name: 'Cell 1' }] }]);
    expect(draft()).toBe('a draft');
    accept(1, R1);
    expect(prompt.phase).toBe('waiting');
    delta(2, 0, 'So:\n```python\nx =');
    expect(prompt.phase).toBe('waiting'); // text is told of in the next frame
    end(2, 'completed', CODE);
    expect([prompt.phase, prompt.difference?.proposed, cell.edits]).toEqual(['deciding', 'x = 1', 0]);
    expect(said).toEqual(['ready']);
    expect(prompt.difference?.accept()).toBe(true);
    expect([cell.source, cell.edits]).toEqual(['x = 1', 1]);
  });

  it.each(['before it is accepted', 'while it is made', 'as it ends'])(
    'is stopped %s, and leaves the cell as it was (C7)',
    async when => {
      const prompt = make();
      cell.type('y = 2');
      await prompt.ask();
      if (when !== 'before it is accepted') {
        accept(1, R1);
        delta(2, 0, CODE.slice(0, 14));
      }
      expect(prompt.stop()).toBe(true);
      expect([prompt.phase, prompt.difference]).toEqual(['stopping', null]);
      expect(prompt.stop()).toBe(true);
      expect(sent('stop')).toHaveLength(1);
      if (when === 'before it is accepted') {
        accept(1, R1);
      }
      end(2, when === 'as it ends' ? 'completed' : 'interrupted', when === 'as it ends' ? CODE : '');
      expect([prompt.phase, prompt.sentence, prompt.text]).toEqual(['writing', 'stopped', 'the code']);
      expect([prompt.difference, cell.source, draft()]).toEqual([null, 'y = 2', '']);
      await prompt.ask();
      expect(sent('send')).toHaveLength(2);
    }
  );

  it('is not sent where Stop is pressed before its chat is open (C7)', async () => {
    const prompt = make();
    const asked = prompt.ask();
    expect(prompt.stop()).toBe(true);
    await asked;
    expect(sent('send')).toHaveLength(0);
    expect([prompt.phase, prompt.sentence]).toEqual(['writing', 'stopped']);
  });

  it('is not sent where all is stopped before its chat is open; what was sent goes on (C7)', async () => {
    const [one, other] = [make(), make()];
    await other.ask();
    const asked = one.ask();
    openChats.onStopAll(() => [one, other].forEach(each => each.giveUp()));
    openChats.stopAll(chat);
    await asked;
    expect(sent('send')).toHaveLength(1);
    expect([one.phase, one.sentence, other.phase]).toEqual(['writing', 'stopped', 'waiting']);
    expect(sent('stop').at(-1)).toMatchObject({ all: true });
  });

  it.each(['stop', 'giveUp'] as const)('is stopped while it waits to be sent once more (C7): %s', async how => {
    let open: (controller: typeof chat) => void = () => undefined;
    const chats = [Promise.resolve(chat), new Promise<typeof chat>(resolve => (open = resolve))];
    const prompt = make('the code', cell, () => chats.shift() as Promise<typeof chat>);
    await prompt.ask();
    accept(1, R1);
    end(2, 'completed', CODE);
    expect(prompt.phase).toBe('deciding');
    const again = prompt.ask();
    prompt[how]();
    open(chat);
    await again;
    expect(sent('send')).toHaveLength(1);
    expect([prompt.phase, prompt.sentence, stoppedHere.size]).toEqual(['writing', 'stopped', 0]);
  });

  it.each([true, false])('is stopped after a reload while its chat loads, or that fails (C7): %s', async loads => {
    await make().ask();
    accept(1, R1);
    let open: (controller: typeof chat | null) => void = () => undefined;
    const prompt = make('the code', cell, () => new Promise((resolve, reject) => {
      open = one => (one ? resolve(one) : reject(new Error('/secret')));
    }));
    const resumed = prompt.resume(R1, 'y = 2');
    expect([prompt.phase, prompt.requestId]).toEqual(['waiting', R1]);
    expect(prompt.stop()).toBe(true);
    expect([prompt.phase, sent('stop')]).toEqual(['stopping', []]);
    open(loads ? chat : null);
    await resumed;
    expect(sent('stop')).toHaveLength(loads ? 1 : 0);
    if (loads) {
      end(2, 'interrupted', '');
    }
    expect([prompt.phase, prompt.sentence]).toEqual(['writing', loads ? 'stopped' : 'notSent']);
  });

  it('is stopped though its notebook is closed before its chat is here (C7)', async () => {
    await make().ask();
    accept(1, R1);
    let open: (controller: typeof chat) => void = () => undefined;
    const prompt = make('the code', cell, () => new Promise(resolve => (open = resolve)));
    const resumed = prompt.resume(R1, 'y = 2');
    prompt.stop();
    prompt.dispose();
    open(chat);
    await resumed;
    expect(sent('stop')).toHaveLength(1);
    expect(prompt.phase).toBe('stopping'); // it looks at nothing any more
  });

  it('keeps its words when it is refused, fails or has no code (C7)', async () => {
    const prompt = make();
    await prompt.ask();
    server().say({ type: 'error', code: 'busy', message: 'Too busy.', request_id: R1 });
    expect([prompt.phase, prompt.sentence, prompt.text]).toEqual(['writing', 'Too busy.', 'the code']);
    expect(draft()).toBe(''); // the words are in one place
    await prompt.ask();
    accept(1, R2);
    end(2, 'failed', '', { request_id: R2, error: { code: 'rate_limited', message: 'Wait.' } });
    expect([prompt.phase, prompt.sentence]).toEqual(['writing', 'failed: Wait.']);
    await prompt.ask();
    accept(3, uuid(0x103));
    end(4, 'completed', 'Only words.', { request_id: uuid(0x103) });
    expect([prompt.phase, prompt.sentence, prompt.difference]).toEqual(['writing', 'noCode', null]);
    cell.isReadOnly = true;
    await prompt.ask();
    expect(prompt.sentence).toBe('readOnly');
    expect(sent('send')).toHaveLength(3);
  });

  it('says that it could not be stopped, and goes on (C7)', async () => {
    const prompt = make();
    await prompt.ask();
    accept(1, R1);
    prompt.stop();
    server().say({
      type: 'stop_result',
      message_id: uuid(2),
      results: [{ message_id: uuid(2), outcome: 'made_elsewhere' }]
    });
    expect([prompt.phase, prompt.sentence]).toEqual(['waiting', 'cannot stop: not reached']);
    end(2, 'completed', CODE);
    expect(prompt.phase).toBe('deciding');
  });

  it('waits behind another cell, and goes on when that was stopped there (C8)', async () => {
    const [first, second] = [make('one'), make('two', new FakeCell())];
    await first.ask();
    accept(1, R1, 'one');
    await second.ask();
    accept(3, R2, 'two', { state: 'queued' });
    expect([second.phase, second.sentence]).toEqual(['waiting', 'waits']);
    first.stop();
    end(2, 'interrupted', '', { stop: { reason: 'user', requested_at: '', provider: 'closed', discarded: false } });
    server().say({ type: 'chat', chat: { ...meta, state: 'paused' } });
    expect(sent('resume')).toHaveLength(1);
    server().say({ type: 'chat', chat: { ...meta, state: 'generating' } });
    end(4, 'completed', CODE, { request_id: R2 });
    expect([first.phase, second.phase]).toEqual(['writing', 'deciding']);
  });

  it('lets a queue be that was paused elsewhere, and is taken out of it by Esc (C8)', async () => {
    ask('in the sidebar');
    accept(1, R1);
    const prompt = make();
    await prompt.ask();
    accept(3, R2, 'the code', { state: 'queued' });
    chat.stop();
    end(2, 'interrupted', '');
    server().say({ type: 'chat', chat: { ...meta, state: 'paused' } });
    expect([prompt.phase, prompt.sentence]).toEqual(['waiting', 'paused']);
    expect(sent('resume')).toHaveLength(0);
    prompt.stop();
    expect(sent('unqueue')).toHaveLength(1);
  });

  it('is followed again after a reload, also where it has ended since (C8)', async () => {
    const request_id = uuid(0x77);
    server().say({
      type: 'accepted',
      request_id: R1,
      chat_id: CHAT,
      user_message: promptOf(1, 'the code'),
      message: reply(2, { reply_to: uuid(1), request_id })
    });
    ask();
    accept(1, R1);
    end(2, 'completed', CODE, { request_id });
    const prompt = make();
    cell.type('y = 2  # typed since');
    await prompt.resume(request_id, 'y = 2');
    expect(prompt.phase).toBe('deciding');
    expect(prompt.difference?.proposed).toContain('x = 1');
    expect(prompt.difference?.proposed).toContain('# typed since');
    expect(isTerminal(now().chat.messages[1].info.state)).toBe(true);
  });

  it('can be decided on once the code is whole, and Reject stops what is still said (C7)', async () => {
    const prompt = make();
    await prompt.ask();
    server().say({
      type: 'accepted',
      request_id: R1,
      chat_id: CHAT,
      user_message: promptOf(1, 'the code'),
      message: reply(2, { reply_to: uuid(1), request_id: R1, text: `${CODE}And now a long` })
    });
    expect([prompt.phase, prompt.difference?.grows]).toEqual(['deciding', false]);
    prompt.reject();
    expect([prompt.phase, prompt.difference]).toEqual(['writing', null]);
    expect(sent('stop')).toMatchObject([{ message_id: uuid(2) }]);
  });
});
