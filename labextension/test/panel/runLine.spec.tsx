// @vitest-environment jsdom
/** N4, N5, N7, N8, N12: the line of a cell that runs: what it waits for, and what can be done. */
import { nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { act } from 'react-dom/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PanelContext, PanelTools } from '../../src/panel/context';
import { receiptWords } from '../../src/panel/messages/endWords';
import { ToolLine } from '../../src/panel/messages/tools/toolLine';
import { mergeTool, newView } from '../../src/chat/messages';
import { CallDetails } from '../../src/stores/agent/toolRoutes';
import { Receipt, ToolCall } from '../../src/wire/protocol';
import { reply, uuid } from '../support';

const find = (selector: string): HTMLElement => document.querySelector(selector) as HTMLElement;
const all = (selector: string): (string | null)[] =>
  [...document.querySelectorAll(selector)].map(one => one.textContent);

const CODE = Array.from({ length: 500 }, (_, n) => `step(${n})`).join('\n');
const call: ToolCall = {
  ...{ call_id: 'c1', name: 'run_cell', state: 'running', touches: 'runs' },
  args: '{"path": "x/a.ipynb", "cell_id": "c"}'
};

let root: Root;
let index: number;
let asking: boolean;
let heard: () => void;
let gone: string[];
let acted: unknown[][];
let acts: () => Promise<boolean>;
let details: Partial<CallDetails>;
let languages: string[];

const tools = {
  trans: nullTranslator.load(''),
  code: { copy: () => Promise.resolve(true) },
  controller: {
    subscribe: () => () => undefined,
    getSnapshot: () => SNAPSHOT,
    approving: { answer: () => undefined }
  },
  render: {
    growCode: (language: string) => {
      const node = document.createElement('div');
      const code = node.appendChild(document.createElement('pre')).appendChild(document.createElement('code'));
      languages.push(language);
      return { node, update: (text: string) => (code.textContent = text), goesOn: () => false };
    }
  },
  agent: {
    calls: () => Promise.resolve([{ call_id: 'c1', args: null, result: null, proposed: [], changes: [], ...details }]),
    indexOf: () => index,
    languageOf: () => 'julia',
    inputs: {
      subscribe: (listener: () => void) => {
        heard = listener;
        return () => undefined;
      },
      asks: (cell: string) => asking && cell === 'c',
      goTo: (cell: string) => Promise.resolve(gone.push(cell))
    },
    actOnKernel: (...args: unknown[]) => {
      acted.push(args);
      return acts();
    }
  }
} as unknown as PanelTools;
const SNAPSHOT = { answers: {}, lost: false };

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  [index, asking, gone, acted, details, languages] = [2, false, [], [], {}, []];
  acts = () => Promise.resolve(true);
  document.body.innerHTML =
    '<div class="jp-StopChat-panel"><textarea class="jp-StopChat-input"></textarea><div id="root"></div></div>';
  Object.defineProperty(find('textarea'), 'offsetParent', { value: document.body });
  root = createRoot(find('#root'));
});

afterEach(() => {
  act(() => root.unmount());
  vi.unstubAllGlobals();
});

async function show(change: Partial<ToolCall> = {}): Promise<void> {
  await act(async () => {
    root.render(
      <PanelContext.Provider value={tools}>
        <ToolLine messageId={uuid(2)} call={{ ...call, ...change }} stopped={false} lacks={false} />
      </PanelContext.Provider>
    );
    await Promise.resolve();
  });
}
const summary = (): string | null => find('summary').textContent;
const click = async (selector: string): Promise<void> => {
  await act(async () => {
    find(selector).click();
    await Promise.resolve();
  });
};

describe('the line of a run (N7)', () => {
  it('says which cell, what it waits for, and how far it has come, as it says itself', async () => {
    await show();
    expect(summary()).toBe('Run cell 3 of a.ipynb · running');
    await show({ waits_for: 'kernel' });
    expect(summary()).toBe('Run cell 3 of a.ipynb · waits for the kernel');
    await show({ progress: '<b>40 %</b>' });
    expect([summary(), all('.jp-StopChat-toolProgress')]).toEqual([
      'Run cell 3 of a.ipynb · running<b>40 %</b>',
      ['<b>40 %</b>']
    ]);
    index = -1;
    await show({ state: 'completed', duration_ms: 1200 });
    expect(summary()).toBe('Run a cell of a.ipynb · done · 1.2 s');
    await show({ name: 'restart_kernel', state: 'completed' });
    expect(summary()).toBe('Restart the kernel of a.ipynb · done');
    await show({ name: 'write_file', state: 'completed', args: '{"path": "x/b.py"}' });
    expect(summary()).toBe('Write b.py · done');
  });

  it('waits for nothing any more once it says nothing of it', () => {
    const frame = { type: 'tool', message_id: uuid(2), ...call } as const;
    let { view } = newView(reply(2));
    view = mergeTool(view, { ...frame, waits_for: 'kernel', progress: 'half' });
    expect(view.info.tools[0]).toMatchObject({ waits_for: 'kernel', progress: 'half' });
    view = mergeTool(view, frame);
    expect(view.info.tools[0]).toMatchObject({ waits_for: undefined, progress: undefined });
  });

  it('unfolds to the code that ran, whole, and to what came of it', async () => {
    const ran = { path: 'x/a.ipynb', action: 'run', cell_id: 'c', before: CODE } as const;
    details = { changes: [{ ...ran, n: 0, call_id: 'c1', state: 'done' }] };
    await show({ state: 'completed', result: 'It showed: 3' });
    await act(async () => {
      (find('details') as HTMLDetailsElement).open = true;
      find('details').dispatchEvent(new Event('toggle'));
      await Promise.resolve();
    });
    expect(find('.jp-StopChat-runCode').textContent).toBe(`${CODE}\n`);
    expect(languages).toEqual(['julia']);
    expect(all('del, ins')).toEqual([]);
    expect(find('details').textContent).toContain('It showed: 3');
  });
});

describe('what is asked before a cell runs (N8)', () => {
  it('shows all of its code as code', async () => {
    details = { proposed: [{ path: 'x/a.ipynb', action: 'run', cell_id: 'c', before: CODE }] };
    await show({ state: 'asked', approval: { digest: 'd', by_rule: true } });
    expect(find('.jp-StopChat-approvalTitle').textContent).toBe('Run cell 3 of a.ipynb?');
    expect(find('.jp-StopChat-approval .jp-StopChat-runCode').textContent).toBe(`${CODE}\n`);
    expect(all('.jp-StopChat-approval button').some(one => one?.includes('more line'))).toBe(false);
    expect(find('.jp-StopChat-approval').textContent).toContain('HTML and JavaScript');
  });
});

describe('a cell that asks its person (N5)', () => {
  it('is said to, and one goes there', async () => {
    await show();
    act(() => {
      asking = true;
      heard();
    });
    expect(summary()).toContain('waits for your input in the notebook');
    await click('.jp-StopChat-toolActions button');
    expect(gone).toEqual(['c']);
    await show({ state: 'interrupted', duration_ms: 5 });
    expect([summary(), all('.jp-StopChat-toolActions')]).toEqual(['Run cell 3 of a.ipynb · stopped', []]);
  });

  it('gives the focus on once it does not, as where it is interrupted', async () => {
    asking = true;
    await show();
    find('.jp-StopChat-toolActions button').focus();
    act(() => {
      asking = false;
      heard();
    });
    expect(all('.jp-StopChat-toolActions')).toEqual([]);
    expect(document.activeElement).toBe(find('textarea'));
  });
});

describe('a cell that did not stop (N4)', () => {
  it('can be interrupted once more, and says so', async () => {
    await show({ state: 'still_running' });
    expect(summary()).toContain('the cell is still running');
    expect(all('.jp-StopChat-toolActions button')).toEqual(['Interrupt again', 'Restart kernel']);
    await click('.jp-StopChat-toolActions button');
    expect(acted).toEqual([[uuid(2), 'c1', 'interrupt', 'x/a.ipynb', 'c']]);
    expect(find('[role=status]').textContent).toContain('once more');
  });

  it('says why it was not, and takes one press at a time', async () => {
    let fail = (_: Error): void => undefined;
    acts = () => new Promise((_, reject) => (fail = reject));
    await show({ state: 'still_running' });
    await click('.jp-StopChat-toolActions button:nth-of-type(2)');
    await click('.jp-StopChat-toolActions button');
    await act(async () => {
      fail(new Error('This is not possible now.'));
      await Promise.resolve();
    });
    expect(acted).toHaveLength(1);
    expect(find('[role=alert]').textContent).toBe('Not restarted: This is not possible now.');
  });

  it('has no buttons once it has ended, and gives the focus on', async () => {
    await show({ state: 'still_running' });
    find('.jp-StopChat-toolActions button').focus();
    await show({ state: 'interrupted', duration_ms: 5 });
    expect(all('.jp-StopChat-toolActions')).toEqual([]);
    expect(document.activeElement).toBe(find('textarea'));
  });

  it('gives the focus on where it ended while a dialog asked, which leaves it to nothing', async () => {
    let answer = (_: boolean): void => undefined;
    acts = () => new Promise(resolve => (answer = resolve));
    await show({ state: 'still_running' });
    await click('.jp-StopChat-toolActions button:nth-of-type(2)');
    const dialog = document.body.appendChild(document.createElement('button'));
    dialog.focus();
    await show({ state: 'interrupted', duration_ms: 5 });
    expect(document.activeElement).toBe(dialog);
    dialog.remove();
    await act(async () => {
      answer(false);
      await Promise.resolve();
    });
    expect(document.activeElement).toBe(find('textarea'));
  });

  it('has none where no kernel runs what goes on', async () => {
    await show({ name: 'odd', state: 'still_running' });
    expect([summary(), all('.jp-StopChat-toolActions')]).toEqual(['odd stopped, still running', []]);
  });
});

describe('the receipt of a stop (N12, N13)', () => {
  const said = (kernel: Receipt['kernel']): string | undefined =>
    receiptWords(
      tools.trans,
      { reason: 'user', requested_at: '', provider: 'closed', discarded: false, kernel },
      undefined
    )?.replace('provider connection closed, ', '');

  it('says what the kernel said, and what nobody knows', () => {
    expect(said({ answer: 'raised', ms: 3, exact: true, idle_ms: 17.4 })).toBe('the cell was interrupted after 17 ms');
    expect(said({ answer: 'refused', ms: 3, exact: true })).toBe('the cell had not begun, and will not');
    expect(said({ answer: 'plain', ms: 3, exact: false, idle_ms: 40 })).toBe(
      'the kernel was interrupted after 40 ms, which may have interrupted another cell'
    );
    expect(said({ answer: 'no_answer', ms: 300, exact: true })).toBe(
      'the kernel did not answer the interrupt, and was still running'
    );
    expect(said({ answer: 'raised', ms: 3, exact: true })).toBe(
      'the cell was interrupted after 3 ms, and was still running'
    );
    expect(said({ answer: 'not_sent', ms: 3, exact: true })).toBe('the kernel was not interrupted');
    expect(said({ answer: 'ended', ms: 3, exact: true })).toBe('the cell had ended');
  });
});
