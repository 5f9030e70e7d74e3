// @vitest-environment jsdom
import { NotebookPanel } from '@jupyterlab/notebook';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { reveal } from '../../../src/lab/difference/place';

// JupyterLab's own, which needs a real browser
vi.mock('../../../src/lab/code/notebooks', () => ({
  focusCell: ({ content }: NotebookPanel) => content.node.focus()
}));

let scrolled: () => void;

/** A notebook with one cell, which takes its time to be scrolled to. */
function panelOf(cell: HTMLElement): NotebookPanel {
  const widget = { model: { id: 'a' }, node: cell };
  const content = {
    widgets: [widget],
    activeCellIndex: -1,
    node: cell,
    deselectAll: () => undefined,
    scrollToItem: () => new Promise<void>(resolve => (scrolled = resolve))
  };
  return { content, isDisposed: false } as unknown as NotebookPanel;
}

beforeEach(() => {
  document.body.innerHTML =
    '<button></button><div id="cell" tabindex="0"><div class="cm-content" tabindex="0"></div></div>';
});

const find = (selector: string): HTMLElement => document.querySelector(selector) as HTMLElement;

it.each([
  ['button', '#cell'],
  ['.cm-content', '.cm-content']
])('gives a cell the focus once it is in sight, and not who went on to type: %s (C4)', async (where, then) => {
  find('button').focus();
  const revealed = reveal(panelOf(find('#cell')), 'a');
  find(where).focus();
  scrolled();
  await revealed;
  expect(document.activeElement).toBe(find(then));
});

describe('in a long notebook, which is put into the page cell by cell (N1)', () => {
  let seen: number[];
  let panel: NotebookPanel;
  /** A cell of code is drawn at once where that is asked for. */
  let isCode: boolean;

  const cell = (id: string) => ({ model: { id }, node: document.createElement('div'), isDisposed: false });

  beforeEach(() => {
    [seen, isCode] = [[], false];
    const node = document.body.appendChild(document.createElement('div'));
    const widgets = [cell('a'), cell('b')];
    node.append(widgets[0].node);
    const content = {
      ...{ node, widgets, activeCellIndex: 0, isDisposed: false, deselectAll: () => undefined },
      get activeCell(): object {
        return widgets[(this as unknown as { activeCellIndex: number }).activeCellIndex];
      },
      notebookConfig: { windowingMode: 'contentVisibility' },
      renderCellOutputs: (at: number) => isCode && node.append(widgets[at].node),
      scrollToItem: (at: number) => Promise.resolve(seen.push(at))
    };
    panel = { content, isDisposed: false } as unknown as NotebookPanel;
  });

  it('waits for a cell that is not in the page yet', async () => {
    const { content } = panel;
    const shown = reveal(panel, 'b', false);
    await Promise.resolve();
    expect(seen).toEqual([]);
    content.node.append(content.widgets[1].node);
    await shown;
    expect(seen).toEqual([1]);
  });

  it('has a cell of code put there before all others, which may take long', async () => {
    isCode = true;
    await reveal(panel, 'b', false);
    expect(seen).toEqual([1]);
  });

  it('leaves a person where they went meanwhile', async () => {
    const { content } = panel;
    const shown = reveal(panel, 'b', false);
    content.activeCellIndex = 0;
    content.node.append(content.widgets[1].node);
    await shown;
    expect(seen).toEqual([]);
  });
});
