// @vitest-environment jsdom
/** N7, N8, N12: a tool's line, its question, and what a stop says of both. */
import { nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { act } from 'react-dom/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PanelContext, PanelTools } from '../../src/panel/context';
import { receiptWords } from '../../src/panel/messages/endWords';
import { durationWords } from '../../src/panel/messages/tools/callWords';
import { ToolLine } from '../../src/panel/messages/tools/toolLine';
import { CallDetails, Change } from '../../src/stores/agent/toolRoutes';
import { counted, lineDifference } from '../../src/text/lineDifference';
import { ToolCall } from '../../src/wire/protocol';
import { uuid } from '../support';

const find = (selector: string): HTMLElement => document.querySelector(selector) as HTMLElement;
const all = (selector: string): (string | null)[] =>
  [...document.querySelectorAll(selector)].map(one => one.textContent);
const change: Change = {
  ...{
    path: 'x/a.ipynb',
    action: 'replace',
    cell_id: 'c',
    before: 'a = 1\nb = 1',
    after: 'a = 1\nb = 2'
  }
};
const asked: ToolCall = {
  ...{ call_id: 'c1', name: 'replace_cell', state: 'asked', touches: 'edits' },
  args: '{"path": "x/a.ipynb", "cell_id": "c", "new_source": "a = 1\\nb = 2"}',
  approval: { digest: 'd', by_rule: true }
};

let root: Root;
let answers: unknown[][];
let details: () => Promise<readonly CallDetails[]>;
let shown: (string | null)[];

let snapshot = { answers: {}, lost: false };
let heard: () => void;
const tools = {
  trans: nullTranslator.load(''),
  code: { copy: () => Promise.resolve(true) },
  controller: {
    subscribe: (listener: () => void) => {
      heard = listener;
      return () => undefined;
    },
    getSnapshot: () => snapshot,
    want: () => () => undefined,
    approving: { answer: (...args: unknown[]) => answers.push(args.slice(2)) }
  },
  agent: {
    calls: () => details(),
    indexOf: () => 2,
    inputs: { subscribe: () => () => undefined, asks: () => false },
    show: (_path: string, cell: string | null) => Promise.resolve(shown.push(cell) > 0)
  }
} as unknown as PanelTools;

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.useFakeTimers();
  [answers, shown] = [[], []];
  snapshot = { answers: {}, lost: false };
  details = () =>
    Promise.resolve([
      {
        call_id: 'c1',
        args: asked.args ?? '',
        result: null,
        proposed: [change],
        changes: []
      }
    ]);
  document.body.innerHTML =
    '<div class="jp-StopChat-panel"><textarea class="jp-StopChat-input"></textarea><div id="root"></div></div>';
  find('textarea').focus();
  root = createRoot(find('#root'));
});

afterEach(() => {
  act(() => root.unmount());
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function show(element: JSX.Element): Promise<void> {
  await act(async () => {
    root.render(<PanelContext.Provider value={tools}>{element}</PanelContext.Provider>);
    await Promise.resolve();
  });
}
const line = (call: ToolCall, stopped = false): JSX.Element => (
  <ToolLine messageId={uuid(2)} call={call} stopped={stopped} lacks={false} />
);
const press = (selector: string, key: string): void =>
  act(() => {
    find(selector).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  });
const pass = (ms: number): void => act(() => void vi.advanceTimersByTime(ms));
const QUESTION = '.jp-StopChat-approval';

describe('what a tool asks (N8)', () => {
  it('shows what would change, and has the focus of an input that is empty', async () => {
    await show(line(asked));
    expect(find('.jp-StopChat-approvalTitle').textContent).toBe('Change a cell of a.ipynb?');
    expect(find('.jp-StopChat-differenceHead').textContent).toContain('Change cell 3 of a.ipynb');
    expect(all('.jp-StopChat-lines del, .jp-StopChat-lines ins')).toEqual(['b = 1', 'b = 2']);
    expect(document.activeElement).toBe(find(QUESTION));
  });

  it('takes Enter for once and Esc for no, and nothing that was meant for something else', async () => {
    await show(line(asked));
    press(QUESTION, 'Enter');
    press(QUESTION, 'Escape');
    expect(answers).toEqual([]);
    pass(500);
    press(QUESTION, 'Enter');
    press(QUESTION, 'Escape');
    expect(answers).toEqual([
      ['once', ''],
      ['refuse', '']
    ]);
    pass(10);
    expect(document.activeElement).toBe(find('textarea'));
  });

  it('leaves the focus to who writes', async () => {
    (find('textarea') as HTMLTextAreaElement).value = 'half a prompt';
    await show(line(asked));
    expect(document.activeElement).toBe(find('textarea'));
  });

  it('takes what is typed for a reason, and a key that is held down for nothing', async () => {
    await show(line(asked));
    pass(500);
    const held = { key: 'Enter', repeat: true, bubbles: true };
    act(() => void find(QUESTION).dispatchEvent(new KeyboardEvent('keydown', held)));
    press(QUESTION, 'n');
    expect(document.activeElement).toBe(find('.jp-StopChat-reason'));
    press('.jp-StopChat-reason', 'Enter');
    expect(answers).toEqual([]);
  });

  it('takes no Esc that is held down: it refused what was here before', async () => {
    await show(line(asked));
    pass(500);
    const held = { key: 'Escape', repeat: true, bubbles: true, cancelable: true };
    const event = new KeyboardEvent('keydown', held);
    act(() => void find(QUESTION).dispatchEvent(event));
    expect([answers, event.defaultPrevented]).toEqual([[], true]);
  });

  it('waits anew when another one is answered, as it moves under the pointer', async () => {
    await show(line(asked));
    pass(500);
    find('[data-answer=always]').focus();
    act(() => {
      snapshot = { ...snapshot, answers: { 'another one': {} } };
      heard();
    });
    find('[data-answer=once]').click();
    press(QUESTION, 'Enter');
    expect([answers, document.activeElement]).toEqual([[], find(QUESTION)]);
    pass(500);
    press(QUESTION, 'Enter');
    expect(answers).toHaveLength(1);
  });

  it('gives the focus on when it goes, and so does each of its buttons', async () => {
    const after = Array.from({ length: 400 }, (_, n) => `line ${n}`).join('\n');
    const proposed = [{ ...change, action: 'insert' as const, before: null, after }];
    details = () => Promise.reject(new Error('away'));
    await show(line(asked));
    details = () => Promise.resolve([{ call_id: 'c1', args: null, result: null, proposed, changes: [] }]);
    find('[role=alert] button').focus();
    await act(async () => {
      find('[role=alert] button').click();
      await Promise.resolve();
    });
    expect(document.activeElement).toBe(find(QUESTION));
    const more = [...document.querySelectorAll('button')].find(one =>
      one.textContent?.startsWith('Show 100')
    );
    more?.focus();
    act(() => more?.click());
    expect(document.activeElement).toBe(find('.jp-StopChat-lines'));
    await show(line(asked, true));
    pass(10);
    expect(document.activeElement).toBe(find('textarea'));
  });

  it('is not allowed before it was seen, and refused all the same', async () => {
    details = () => Promise.reject(new Error('away'));
    await show(line(asked));
    pass(500);
    press(QUESTION, 'Enter');
    expect(all(`${QUESTION} button:disabled`)).toEqual(['Allow', 'Always in this chat', 'Always']);
    act(() => find('[data-answer=refuse]').click());
    expect(answers).toEqual([['refuse', '']]);
  });

  it('is not allowed where the server tells nothing of it: what the call shows may be cut', async () => {
    details = () => Promise.resolve([]);
    await show(line(asked));
    pass(500);
    press(QUESTION, 'Enter');
    expect(all(`${QUESTION} button:disabled`)).toEqual(['Allow', 'Always in this chat', 'Always']);
    expect(all('[role=alert] button')).toEqual(['Retry']);
    expect(answers).toEqual([]);
  });

  it('is not allowed by what the same call asked for before', async () => {
    await show(line(asked));
    pass(500);
    let tell = (_: readonly CallDetails[]): void => undefined;
    details = () => new Promise(resolve => (tell = resolve));
    await show(line({ ...asked, approval: { digest: 'e', by_rule: true } }));
    pass(500);
    press(QUESTION, 'Enter');
    expect(answers).toEqual([]);
    expect(all('ins')).toEqual([]);
    const proposed = [{ ...change, after: 'a = 1\nb = 3' }];
    await act(async () => {
      tell([{ call_id: 'c1', args: null, result: null, proposed, changes: [] }]);
      await Promise.resolve();
    });
    expect(all('ins')).toEqual(['b = 3']);
    press(QUESTION, 'Enter');
    expect(answers).toEqual([['once', '']]);
  });

  it('is asked each time where no rule may allow it, with all of its code', async () => {
    const args = JSON.stringify({ code: 'x'.repeat(9000) });
    details = () => Promise.resolve([{ call_id: 'c1', args, result: null, proposed: [], changes: [] }]);
    await show(
      line({
        ...asked,
        name: 'odd',
        touches: 'runs',
        approval: { digest: 'd', by_rule: false }
      })
    );
    expect(all(`${QUESTION} button[data-answer]`)).toEqual(['Allow', 'Refuse']);
    expect(find(`${QUESTION} pre`).textContent).toBe(args);
    expect(find(QUESTION).textContent).toContain('your rights');
  });

  it('is not there any more after Stop', async () => {
    await show(line(asked, true));
    expect(find(QUESTION)).toBeNull();
  });
});

describe('the line of a tool (N7)', () => {
  it('says what, how far and how long, and unfolds to what it changed', async () => {
    const state = 'done';
    details = () =>
      Promise.resolve([
        { call_id: 'c1', args: null, result: null, proposed: [], changes: [{ ...change, n: 0, call_id: 'c1', state }] }
      ]);
    const call: ToolCall = { ...asked, state: 'completed', result: 'ok', duration_ms: 1234, approval: undefined };
    await show(line(call));
    expect(find('summary').textContent).toBe('Change a cell of a.ipynb · done · 1.2 s');
    await act(async () => {
      (find('details') as HTMLDetailsElement).open = true;
      find('details').dispatchEvent(new Event('toggle'));
      await Promise.resolve();
    });
    expect(all('.jp-StopChat-lines ins')).toEqual(['b = 2']);
    await act(async () => {
      find('.jp-StopChat-differenceHead button').click();
      await Promise.resolve();
    });
    expect(shown).toEqual(['c']);
    await show(line({ ...call, state: 'interrupted', duration_ms: undefined }));
    expect(find('summary').textContent).toContain('stopped before it began');
    await show(line({ call_id: 'c2', name: 'odd', state: 'still_running' }));
    expect(find('.jp-StopChat-tool').textContent).toBe('odd stopped, still running');
  });

  it('tells times in words', () => {
    const { trans } = tools;
    const said = [undefined, 20, 340, 61_000].map(ms => durationWords(trans, ms));
    expect(said).toEqual(['', '', '0.3 s', '1 min 1 s']);
  });

  it('tells a difference by lines, without what is the same', () => {
    const lines = Array.from({ length: 20 }, (_, n) => `line ${n}`);
    const after = [...lines.slice(0, 10), 'new', ...lines.slice(11), 'end'];
    const told = lineDifference(lines.join('\n'), after.join('\n'));
    expect(told.map(one => one.kind[0]).join('')).toBe('gssgnssgssn');
    expect(counted(told)).toEqual({ gone: 1, fresh: 2 });
    expect(lineDifference(null, 'a\nb').map(one => one.kind)).toEqual(['new', 'new']);
    expect(lineDifference('a', null).map(one => one.kind)).toEqual(['gone']);
    expect(lineDifference('a', 'a')).toEqual([]);
  });
});

describe('the receipt of a stop (N12)', () => {
  it('counts the calls, and the cells that were changed', () => {
    const calls = {
      completed: 2,
      interrupted: 1,
      not_begun: 3,
      cells_changed: 1,
      files_changed: 2
    };
    const stop = {
      reason: 'user',
      requested_at: '',
      provider: 'closed',
      discarded: false
    } as const;
    expect(receiptWords(tools.trans, { ...stop, calls }, undefined)).toBe(
      'provider connection closed, 2 tool calls done, 1 stopped, 3 not begun, 1 cell changed, 2 files changed'
    );
    expect(receiptWords(tools.trans, stop, undefined)).toBe('provider connection closed');
  });

  it('says what the server of a tool made of it', () => {
    const stop = { reason: 'user', requested_at: '', provider: 'closed', discarded: false } as const;
    const words = (['acknowledged', 'unacknowledged', 'gone'] as const).map(answer =>
      receiptWords(tools.trans, { ...stop, server: { answer, ms: 4.6 } }, undefined)
    );
    expect(words).toEqual([
      'provider connection closed, the tool’s server acknowledged it after 5 ms',
      'provider connection closed, the tool’s server was told, and said nothing within 5 ms',
      'provider connection closed, the tool’s server has ended'
    ]);
  });
});

describe('a file that is written (N8)', () => {
  const write = { path: 'x/y/b.txt', action: 'write', after: 'new\n' } as const;
  const ask = async (before: string | null): Promise<void> => {
    const written = { ...write, before };
    details = () =>
      Promise.resolve([
        { call_id: 'c1', args: '{}', result: null, proposed: [written], changes: [] }
      ] as CallDetails[]);
    const approval = { digest: before ?? 'new', by_rule: true };
    const call = { ...asked, approval, name: 'write_file', touches: 'runs' as const };
    await show(<ToolLine messageId={uuid(2)} call={call} stopped={false} lacks={false} />);
    await act(() => Promise.resolve());
  };

  it('is asked for with its whole path and what becomes of it', async () => {
    await ask(null);
    expect(find('.jp-StopChat-differenceHead').textContent).toBe('New file x/y/b.txt');
    expect(all('ins')).toEqual(['new']);
    expect(document.body.textContent).toContain('opens or runs this file later');
    await ask('old\n');
    expect(find('.jp-StopChat-differenceHead').textContent).toContain('Change the file x/y/b.txt');
    expect([...all('del'), ...all('ins')]).toEqual(['old', 'new']);
    act(() => find('.jp-StopChat-differenceHead button').click());
    expect(shown).toEqual([null]);
  });
});
