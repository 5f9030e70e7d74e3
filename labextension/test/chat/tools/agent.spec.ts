/** N7, N8, N9: the mode of a chat, what tools ask in it, and where their lines stand. */
import { beforeEach, describe, expect, it } from 'vitest';

import { questions } from '../../../src/chat/tools/approving';
import { effectiveMode } from '../../../src/chat/tools/mode';
import { isAtWork, partsOf } from '../../../src/chat/tools/parts';
import { phase } from '../../../src/chat/selectors';
import { Tool, ToolCall } from '../../../src/wire/protocol';
import { accept, ask, begin, chat, end, now, online, openChats, R1, running, sent, server } from '../../chatPage';
import { uuid } from '../../support';

const digest = 'a'.repeat(64);
const asked = (change: Partial<Tool> = {}): void =>
  server().say({
    ...{ type: 'tool', message_id: uuid(2), call_id: 'c1', name: 'replace_cell', state: 'asked' },
    ...{ at: 4, touches: 'edits', approval: { digest, by_rule: true } },
    ...change
  });
const call = (): ToolCall => now().chat.messages[1].info.tools[0];
const said = (): string => phase(now().chat, now().lost)[0];

beforeEach(begin);

describe('what a tool asks', () => {
  it('is answered for exactly what was shown, and again until the server has it (N8)', () => {
    running();
    asked();
    expect(said()).toBe('asking');
    expect(questions(now().chat)).toHaveLength(1);
    chat.approving.answer(uuid(2), call(), 'once');
    chat.approving.answer(uuid(2), call(), 'refuse');
    const frame = { type: 'approve', message_id: uuid(2), call_id: 'c1', digest, answer: 'once' };
    expect(sent('approve')).toEqual([frame]);
    server().drop();
    openChats.connect();
    server().greet();
    expect(sent('approve')).toEqual([frame]);
    asked({ state: 'running', approval: undefined });
    expect(call().approval).toBeUndefined();
    expect(now().answers).toEqual({});
    expect(said()).toBe('generating');
  });

  it('is not allowed any more after Stop, also not by an answer that waits (N9)', () => {
    running();
    asked();
    server().drop();
    chat.approving.answer(uuid(2), call(), 'always');
    chat.stop();
    openChats.connect();
    server().greet();
    expect(sent('approve')).toEqual([]);
    expect(questions(now().chat)).toEqual([]);
    expect(now().answers).toEqual({});
  });

  it('is asked anew where it has changed, and can be answered again after a refusal', () => {
    running();
    asked();
    const before = call();
    asked({ approval: { digest: 'b'.repeat(64), by_rule: false } });
    chat.approving.answer(uuid(2), before, 'once'); // what is not shown any more
    expect(sent('approve')).toEqual([]);
    chat.approving.answer(uuid(2), call(), 'refuse', '  not that cell ');
    expect(sent('approve')[0]).toMatchObject({ answer: 'refuse', reason: 'not that cell' });
    server().say({ type: 'error', code: 'busy', message: 'no', of: 'approve', message_id: uuid(2) });
    expect(now().answers).toEqual({});
    expect(now().chat.notice?.text).toBe('no');
    chat.approving.answer(uuid(2), call(), 'once');
    expect(sent('approve')).toHaveLength(2);
    end(2, 'interrupted', 'some text');
    expect(now().answers).toEqual({});
  });
});

describe('the mode of a chat', () => {
  it('goes with each prompt, and is asked for only where it can be', () => {
    online();
    ask('one');
    accept(1, R1);
    end(2, 'completed', 'x');
    expect(sent('send')[0]).not.toHaveProperty('mode');
    chat.perChat.setMode('agent');
    chat.regenerate(uuid(2));
    expect(sent('regenerate')[0]).toMatchObject({ mode: 'agent' });
    const both = { modes: ['ask', 'agent'] as ('ask' | 'agent')[] };
    expect(effectiveMode(both, null, 'agent', undefined)).toBe('agent');
    expect(effectiveMode(both, 'ask', 'agent', undefined)).toBe('ask');
    expect(effectiveMode(both, 'agent', 'ask', false)).toBe('ask');
    expect(effectiveMode({ modes: ['ask'] }, 'agent', 'agent', true)).toBe('ask');
    expect(effectiveMode(null, 'agent', 'agent', true)).toBe('ask');
  });

  it('of a new chat goes with it', () => {
    online();
    chat.perChat.setMode('agent');
    ask('one');
    expect(sent('send')[0]).toMatchObject({ mode: 'agent' });
    accept(1, R1);
    expect(now().mode).toBe('agent');
  });
});

describe('the lines of tools (N7)', () => {
  const at = (place: number | undefined, state: ToolCall['state'] = 'completed'): ToolCall => ({
    call_id: `${place} ${state}`,
    name: 'n',
    state,
    at: place
  });
  const shown = (length: number, ...calls: ToolCall[]): string =>
    partsOf(length, calls)
      .map(one => (one.kind === 'text' ? `${one.from}-${one.to}` : `[${one.calls.length}]`))
      .join(' ');

  it('stand where they were called, and words follow at the end', () => {
    expect(shown(10)).toBe('0-10');
    expect(shown(10, at(undefined))).toBe('[1] 0-10');
    expect(shown(10, at(4), at(4, 'failed'), at(10))).toBe('0-4 [2] 4-10 [1] 10-10');
    expect(shown(3, at(8), at(5))).toBe('0-3 [2] 3-3'); // the text was cut at a stop
    expect(shown(0, at(0))).toBe('[1] 0-0');
  });

  it('tell whether a tool is at work', () => {
    expect(isAtWork([at(0), at(0, 'waiting')])).toBe(true);
    expect(isAtWork([at(0), at(0, 'still_running'), at(0, 'refused')])).toBe(false);
  });
});
