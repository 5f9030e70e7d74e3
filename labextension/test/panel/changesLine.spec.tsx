// @vitest-environment jsdom
/** N10: the undo of what a reply changed. */
import { nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { act } from 'react-dom/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PanelContext, PanelTools } from '../../src/panel/context';
import { ChangesLine } from '../../src/panel/messages/tools/changesLine';
import { newView } from '../../src/chat/messages';
import { Came } from '../../src/stores/agent/toolRoutes';
import { reply, uuid } from '../support';

const find = (selector: string): HTMLElement => document.querySelector(selector) as HTMLElement;
const all = (selector: string): (string | null)[] =>
  [...document.querySelectorAll(selector)].map(one => one.textContent);

let root: Root;
let came: Came | Error;
let moved: unknown[][];
let shown: (string | null)[];

const tools = {
  trans: nullTranslator.load(''),
  agent: {
    show: (_path: string, cell: string | null) => Promise.resolve(shown.push(cell) > 0),
    move: (...args: unknown[]) => {
      moved.push(args);
      return came instanceof Error ? Promise.reject(came) : Promise.resolve(came);
    }
  }
} as unknown as PanelTools;

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  [moved, shown] = [[], []];
  document.body.innerHTML = '<div id="root"></div>';
  root = createRoot(find('#root'));
});

afterEach(() => {
  act(() => root.unmount());
  vi.unstubAllGlobals();
});

async function show(element: JSX.Element): Promise<void> {
  await act(async () => {
    root.render(<PanelContext.Provider value={tools}>{element}</PanelContext.Provider>);
    await Promise.resolve();
  });
}

describe('the undo of a reply (N10)', () => {
  const view = (undone = false, change = {}) =>
    newView(
      reply(2, {
        state: 'interrupted',
        changes: { cells: 3, files: 0, undone },
        ...change
      })
    ).view;
  const changes = (one = view()): JSX.Element => <ChangesLine view={one} onRendered={() => undefined} />;
  const click = async (): Promise<void> => {
    await act(async () => {
      find('.jp-StopChat-changesLine button').click();
      await Promise.resolve();
    });
  };

  it('is there once the reply has ended, stopped or not, and says what became of it', async () => {
    await show(changes(view(false, { state: 'generating' })));
    expect(find('button')).toBeNull();
    await show(changes());
    expect(all('button')).toEqual(['Undo changes (3 cells)']);
    let end = (_came: Came): void => undefined;
    came = new Promise<Came>(resolve => (end = resolve)) as never;
    await click();
    await click(); // it is at work already
    expect(find('button').matches(':disabled')).toBe(false); // it would lose the focus
    await act(async () => {
      end({ putBack: { cells: 2, files: 0 }, merged: { cells: 0, files: 0 }, left: [] });
      await Promise.resolve();
    });
    expect(moved).toEqual([[uuid(2), true]]);
    expect(find('[role=status]').textContent).toContain('2 cells put back.');
    expect(find('[role=status]').textContent).toContain('kernel’s state');
    await show(changes(view(true)));
    expect(all('button')).toEqual(['Redo changes (3 cells)']);
  });

  it('tells cells and files apart', async () => {
    await show(changes(view(false, { changes: { cells: 2, files: 1, undone: false } })));
    expect(all('button')).toEqual(['Undo changes (2 cells, 1 file)']);
    const left = [{ path: 'x/b.txt', cellId: null, index: -1, why: 'changed' }];
    came = { putBack: { cells: 2, files: 1 }, merged: { cells: 0, files: 2 }, left };
    await click();
    expect(find('[role=status]').textContent).toBe(
      '2 cells, 1 file put back. 2 files keep what was written in them since. Left alone, as it was changed since:'
    );
    act(() => (document.querySelectorAll('button')[1] as HTMLElement).click());
    expect([all('button')[1], shown]).toEqual(['b.txt', [null]]);
  });

  it('says nothing of a kernel where only files were written', async () => {
    await show(changes(view(false, { changes: { cells: 0, files: 2, undone: false } })));
    expect(all('button')).toEqual(['Undo changes (2 files)']);
    came = { putBack: { cells: 0, files: 2 }, merged: { cells: 0, files: 0 }, left: [] };
    await click();
    expect(find('[role=status]').textContent).toBe('2 files put back.');
  });

  it('names what it left alone, and leads there', async () => {
    await show(changes());
    const one = { cells: 1, files: 0 };
    const left = [{ path: 'x/a.ipynb', cellId: 'c', index: 4, why: 'changed' }];
    came = { putBack: one, merged: one, left };
    await click();
    expect(find('[role=status]').textContent).toBe(
      '1 cell put back. 1 cell keeps what was written in it since. Left alone, as it was changed since:'
    );
    act(() => (document.querySelectorAll('button')[1] as HTMLElement).click());
    expect([all('button')[1], shown]).toEqual(['Cell 5 of a.ipynb', ['c']]);
    came = new Error('The server did not answer.');
    await click();
    expect(find('[role=alert]').textContent).toBe('Not taken back: The server did not answer.');
  });
});
