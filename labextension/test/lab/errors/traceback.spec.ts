import { describe, expect, it } from 'vitest';

import { tracebackText } from '../../../src/chat/tracebacks';
import { failedCellText, isError } from '../../../src/lab/errors/traceback';

const error = (change = {}): object => ({
  output_type: 'error',
  ename: 'NameError',
  evalue: "name 'x' is not defined",
  traceback: [
    '\u001b[31m---------\u001b[39m',
    '\u001b[1;31mNameError\u001b[0m: \u001b]8;;file:///home/me/a.py\u001b\\link\u001b]8;;\u001b\\ x'
  ],
  ...change
});

describe('what a model is told of a cell that failed', () => {
  it('is its source and its traceback, in words alone (C2)', () => {
    const cell = {
      cell_type: 'code',
      source: 'print(1)\nx',
      outputs: [{ output_type: 'stream', text: '1\n' }, error()]
    };
    expect(failedCellText(cell, 'python')).toBe(
      '```python\nprint(1)\nx\n```\n\nTraceback:\n```\n---------\nNameError: link x\n```'
    );
  });

  it('ends where the error was raised, however long it is, and no fence in it ends it (C2)', () => {
    const long = error({ traceback: [`${'call\n'.repeat(5000)}\`\`\`\`\nthe end`] });
    expect(tracebackText(long, 8000)).toMatch(/^….*the end$/s);
    expect(tracebackText(long, 8000).length).toBeLessThan(9000);
    const text = failedCellText({ cell_type: 'code', source: 'x', outputs: [long] }, 'r');
    expect(text).toMatch(/\n`{5}\n….*the end\n`{5}$/s);
  });

  it('is the name of the error, where a kernel tells no more (C2)', () => {
    expect(tracebackText(error({ traceback: [] }), 8000)).toBe("NameError: name 'x' is not defined");
    expect(tracebackText(error({ traceback: undefined, ename: undefined }), 8000)).toContain('Error: ');
  });

  it('is asked for errors, and not for an interrupt of the person (C1)', () => {
    expect(isError(error())).toBe(true);
    expect(isError(error({ ename: 'KeyboardInterrupt' }))).toBe(false);
    expect(isError({ output_type: 'stream' })).toBe(false);
  });
});
