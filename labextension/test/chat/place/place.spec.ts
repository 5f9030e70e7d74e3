/** Where the person is, as a model is told. */
import { describe, expect, it } from 'vitest';

import { Cell } from '../../../src/chat/attachments';
import { filePlace, lineOf, notebookPlace, NotebookPlace, shortened } from '../../../src/chat/place/place';

const code = (source: string, text = ''): Cell => ({
  cell_type: 'code',
  source,
  outputs: text ? [{ output_type: 'stream', text }] : []
});

const notebook = (cells: readonly Cell[], active: number, more: Partial<NotebookPlace> = {}) => ({
  path: 'study/lamp.ipynb',
  language: 'python',
  count: cells.length,
  active,
  cell: (at: number) => cells[at],
  selection: '',
  ...more
});

describe('a notebook', () => {
  it('is told with the active cell marked, what it printed, and the cells around it', () => {
    const cells = [code('a = 1'), code('a + 1', '2\n'), { cell_type: 'markdown', source: '# So' }];
    expect(notebookPlace(notebook(cells, 1, { selection: 'a' }), 4000)).toBe(
      [
        'Path: study/lamp.ipynb\nKernel language: python\nCells: 3, of which cell 2 is the active one',
        'Cell 1:\n```python\na = 1\n```',
        'Cell 2 (the active cell):\n```python\na + 1\n```\n\nOutput:\n```\n2\n```',
        'Cell 3, markdown:\n# So',
        'Selected in cell 2:\n```\na\n```'
      ].join('\n\n')
    );
  });

  it('is told within its room: the nearest cells, and none from beyond a gap', () => {
    const cells = Array.from({ length: 400 }, (_, at) => code(`cell_${at} = ${'x'.repeat(50)}`));
    cells[197] = code('y'.repeat(5000));
    const asked = new Set<number>();
    const place = notebook(cells, 200, {
      cell: at => {
        asked.add(at);
        return cells[at];
      }
    });
    const told = notebookPlace(place, 2000);
    expect(told.length).toBeLessThanOrEqual(2000);
    expect(told.length).toBeGreaterThan(1500);
    for (const at of [198, 199, 200, 201, 205]) {
      expect(told).toContain(`cell_${at} =`);
    }
    expect(told).not.toContain('cell_196');
    expect(asked.size).toBeLessThan(40);
  });

  it.each([500, 2000, 8000])('is never longer than %d', most => {
    const long = notebook([code('v = 1\n'.repeat(9000), 'z'.repeat(1e7))], 0, {
      selection: 's'.repeat(1e5)
    });
    const told = notebookPlace(long, most);
    expect(told.length).toBeLessThanOrEqual(most + 20);
    expect(told).toContain('[…]');
    const many: Cell = { ...code('v = 1'), outputs: Array(5000).fill(code('', 'o'.repeat(3000)).outputs?.[0]) };
    expect(notebookPlace(notebook([many], 0), most).length).toBeLessThanOrEqual(most + 20);
  });

  it('has no colours in a traceback, and its end', () => {
    const traceback = ['x'.repeat(50_000), '\u001b[31mValueError\u001b[0m: no'];
    const failed: Cell = { ...code('f()'), outputs: [{ output_type: 'error', traceback }] };
    const told = notebookPlace(notebook([failed], 0), 8000);
    expect(told).toContain('ValueError: no');
    expect(told).not.toContain('\u001b');
  });

  it('is told without cells, and with an empty one', () => {
    expect(notebookPlace(notebook([], -1), 1000)).toContain('Cells: 0');
    expect(notebookPlace(notebook([code('')], 0), 1000)).toContain('(the active cell):\n(empty)');
  });
});

describe('a file', () => {
  const text = Array.from({ length: 300 }, (_, at) => `line ${at + 1}`).join('\n');
  const at = text.indexOf('line 150');

  it('is told around the caret', () => {
    const told = filePlace({ path: 'a.py', text, from: at, to: at }, 1000);
    expect(told).toContain('The caret is in line 150 of 300.');
    expect(told).toContain('\nline 150\n');
    expect(told).not.toContain('line 1\n');
    expect(told.length).toBeLessThanOrEqual(1000);
  });

  it('is told with what is selected, whichever way', () => {
    for (const [from, to] of [[at, at + 20], [at + 20, at]]) {
      const told = filePlace({ path: 'a.py', text, from, to }, 1000);
      expect(told).toContain('Selected:\n```\nline 150\nline 151\nli\n```');
      expect(told).toContain('Lines 150 to 152 hold the selection');
    }
    const all = filePlace({ path: 'a.py', text: text.repeat(99), from: 0, to: 1e6 }, 1000);
    expect(all.length).toBeLessThanOrEqual(1000);
  });

  it('is told whole where there is room, and where it is empty', () => {
    expect(filePlace({ path: 'a', text: 'x\ny', from: 0, to: 0 }, 500)).toBe(
      'Path: a\nThe caret is in line 1 of 2.\n\nLines 1 to 2:\n```\nx\ny\n```'
    );
    expect(filePlace({ path: 'a', text: '', from: 5, to: 9 }, 500)).toContain('Path: a');
    expect(filePlace({ path: 'a', text: 'x'.repeat(9999), from: 3, to: 3 }, 500)).not.toContain('xxx');
  });
});

it('keeps whole characters where it cuts', () => {
  const cut = shortened('🐢'.repeat(100), 51);
  expect(cut.length).toBeLessThanOrEqual(51);
  expect(encodeURIComponent(cut)).toBeTruthy();
  expect(lineOf('a\nb\nc', 2)).toBe(2);
});
