import { describe, expect, it, vi } from 'vitest';

import {
  ASSUMED,
  bytesOf,
  cellText,
  failedCell,
  headAndTail,
  largestFor,
  nameOf,
  notebookText,
  outputsText,
  refuses,
  textOf
} from '../../src/chat/attachments';

const limits = { ...ASSUMED, max_frame_bytes: 2000, max_attachments: 2 };
const one = { name: 'a.txt', text: 'a' };

describe('what goes with a prompt', () => {
  it('is refused when it is too much for a frame', () => {
    const room = { text: 'Hello', attachments: [one] };
    expect(refuses(limits, room, one)).toBeNull();
    expect(refuses(limits, room, { ...one, text: 'x'.repeat(800) })).toBeNull();
    expect(refuses(limits, room, { ...one, text: 'x'.repeat(1000) })).toBe('too_large');
    expect(refuses(limits, { ...room, text: 'x'.repeat(1000) }, one)).toBe('too_large');
  });

  it('is counted as it is sent: escaped, in UTF-8', () => {
    expect(bytesOf('é"')).toBe(6);
    const room = { text: '', attachments: [] };
    expect(refuses(limits, room, { ...one, text: '\n'.repeat(500) })).toBe('too_large');
  });

  it('U14: has its beginning and its end where it is too large, as far as there is room', () => {
    const room = { text: '', attachments: [] };
    const text = `begin ${'x'.repeat(2_000_000)} end`;
    const part = headAndTail(ASSUMED, room, { ...one, text }, 'NOTE');
    expect(part.text).toMatch(/^begin x+\n\nNOTE\n\nx+ end$/);
    expect(part.text.length).toBeLessThan(41_000);
    const small = headAndTail({ ...limits, max_frame_bytes: 4000 }, room, { ...one, text }, 'NOTE');
    expect(refuses({ ...limits, max_frame_bytes: 4000 }, room, small)).toBeNull();
    expect(small.text).toMatch(/^begin x+\n\nNOTE\n\nx+ end$/);
    const odd = headAndTail(ASSUMED, room, { ...one, text: `x${'🗼'.repeat(50_000)}` }, '');
    expect(odd.text).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/);
  });

  it('U14: is measured by what the model takes, where that is known', () => {
    const room = { text: 'Why?', attachments: [], tokens: 8192 };
    const whole = { ...one, text: 'x'.repeat(30_000) };
    expect(largestFor(8192)).toBe(25);
    expect(refuses(ASSUMED, room, { ...one, text: 'x'.repeat(25_000) })).toBeNull();
    expect(refuses(ASSUMED, room, whole)).toBe('too_long');
    expect(refuses(ASSUMED, { ...room, tokens: undefined }, whole)).toBeNull();
    expect(refuses(ASSUMED, { ...room, attachments: [{ ...one, text: 'y'.repeat(20_000) }] }, {
      ...one,
      text: 'x'.repeat(10_000)
    })).toBe('too_long');
    // three bytes a sign, and about one token
    expect(refuses(ASSUMED, room, { ...one, text: '寿'.repeat(12_000) })).toBe('too_long');
    const part = headAndTail(ASSUMED, room, { ...whole, text: 'x'.repeat(100_000) }, 'NOTE');
    expect(refuses(ASSUMED, room, part)).toBeNull();
    expect(part.text).toMatch(/^x{10000}\n\nNOTE\n\nx{10000}$/);
  });

  it('is refused when there are too many', () => {
    expect(refuses(limits, { text: '', attachments: [one, one] }, one)).toBe('too_many');
  });

  it('has a name, and not too long a one', () => {
    expect(nameOf('')).toBe('text');
    const long = nameOf(`${'x'.repeat(400)}.py`);
    expect(long).toHaveLength(300);
    expect(long.endsWith('x.py')).toBe(true);
  });
});

describe('a file', () => {
  const bytes = (...values: number[]) => new Uint8Array(values).buffer;

  it('is text when it can be read as such', () => {
    expect(textOf(new TextEncoder().encode('Grüße').buffer)).toBe('Grüße');
    expect(textOf(bytes())).toBe('');
  });

  it('is none when it cannot', () => {
    expect(textOf(bytes(0x89, 0x50, 0xff))).toBeNull();
    expect(textOf(bytes(0x50, 0x00))).toBeNull();
  });
});

describe('a notebook', () => {
  it('is told as Markdown, with what was printed and without pictures', () => {
    const text = notebookText({
      metadata: { language_info: { name: 'julia' } },
      cells: [
        { cell_type: 'markdown', source: ['# Title\n', 'words'] },
        {
          cell_type: 'code',
          source: 'f(1)',
          outputs: [
            { output_type: 'stream', text: ['one\n', 'two\n'] },
            { output_type: 'display_data', data: { 'image/png': 'iVBOR' } },
            { output_type: 'execute_result', data: { 'text/plain': '2', 'text/html': '<b>2' } },
            { output_type: 'error', ename: 'KeyError', evalue: 'x' }
          ]
        },
        { cell_type: 'code', source: [] }
      ]
    });
    expect(text).toContain('# Title\nwords\n\n```julia\nf(1)\n```');
    expect(text).toContain('Output:\n```\none\ntwo\n```');
    expect(text).toContain('Output:\n```\n2\n```');
    expect(text).toContain('KeyError: x');
    expect(text).not.toContain('iVBOR');
    expect(text).not.toContain('<b>');
  });

  it('is told of a picture without its bytes, however many there are', () => {
    const plot = { output_type: 'display_data', data: { 'image/png': 'QUJD\n'.repeat(4e6), 'text/plain': '<Figure>' } };
    const decoded = vi.spyOn(globalThis, 'atob');
    expect(outputsText({ outputs: [plot] })).toBe('');
    expect(decoded).not.toHaveBeenCalled();
    const broken = { ...plot, data: { ...plot.data, 'image/png': 'no base64!' } };
    expect(outputsText({ outputs: [broken] })).toContain('<Figure>');
  });

  it('shortens what was printed', () => {
    const outputs = [{ output_type: 'stream', text: 'x'.repeat(5000) }];
    expect(cellText({ cell_type: 'code', source: 'x', outputs }).length).toBeLessThan(2100);
  });

  it('is none without cells', () => {
    for (const other of [null, 1, 'text', {}, { cells: 3 }]) {
      expect(notebookText(other)).toBeNull();
    }
  });
});

describe('a cell that failed', () => {
  const error = { output_type: 'error', ename: 'KeyError', evalue: "'x'" };
  const cell = (count: number | null, outputs: object[] = []) => ({
    cell_type: 'code',
    source: 'f()',
    execution_count: count,
    outputs
  });

  it('U3: is told with its traceback, without colours, where it was raised', () => {
    const traceback = ['x'.repeat(3000), '\u001b[0;31mKeyError\u001b[0m: \'x\''];
    const text = outputsText(cell(1, [{ ...error, traceback }]));
    expect(text).toMatch(/^Output:\n```\n…x+\nKeyError: 'x'\n```$/);
    expect(text.length).toBeLessThan(2100);
    expect(outputsText(cell(1, [error]))).toContain("KeyError: 'x'");
    expect(outputsText(cell(1))).toBe('');
  });

  it('U3: is the active one, else the one that was run last', () => {
    const cells = [cell(2, [error]), cell(5), cell(null), cell(7, [error]), cell(null)];
    expect(failedCell(cells, 0)).toBe(0);
    expect(failedCell(cells, 4)).toBe(3);
    expect(failedCell([...cells, cell(8)], 4)).toBe(-1);
    expect(failedCell([], -1)).toBe(-1);
    expect(failedCell([cell(null, [])], 0)).toBe(-1);
  });
});
