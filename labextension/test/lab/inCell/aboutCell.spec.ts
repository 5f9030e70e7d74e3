import { describe, expect, it } from 'vitest';

import { aboutCell } from '../../../src/lab/inCell/aboutCell';

const code = (source: string): object => ({ cell_type: 'code', source, outputs: [] });

describe('what a model is told of the cell that it writes', () => {
  it('is the cell, those around it and the language (C6)', () => {
    const cells = ['far', 'a = 1', 'b = 2', 'c = 3', 'd = 4', 'old', 'next', 'too far'].map(code);
    const text = aboutCell(at => cells[at], 5, 'julia');
    expect(text).toContain('a change of cell 6 of a notebook, which runs julia');
    expect(text).toContain('The cell as it is:\n\n```julia\nold\n```');
    expect(text).toContain('Cell 2:\n\n```julia\na = 1\n```');
    expect(text).toContain('The cell behind it:\n\nCell 7:\n\n```julia\nnext\n```');
    expect(text).not.toContain('far');
  });

  it('says that an empty one is empty, and cuts what is long around it (C6)', () => {
    const text = aboutCell(at => [code('x'.repeat(10_000)), code(' \n')][at], 1, 'python');
    expect(text).toContain('the code of cell 2 of a notebook, which runs python; it is empty now');
    expect(text).not.toContain('as it is');
    expect(text.length).toBeLessThan(5000);
    expect(aboutCell(at => [code('')][at], 0, 'python')).not.toContain('before');
  });

  it('has nothing written down of the other cells: they may hold very much', () => {
    const asked = new Set<number>();
    aboutCell(at => (asked.add(at), code(`x = ${at}`)), 50, 'python');
    expect([...asked].sort()).toEqual([46, 47, 48, 49, 50, 51]);
  });
});
