import { describe, expect, it } from 'vitest';

import { cellCode, fileCode } from '../../../src/lab/code/cellCode';

describe('code in a cell', () => {
  it.each([
    ['ls -l', 'bash', 'text/x-ipython', '%%bash\nls -l'],
    ['ls -l', 'Shell', 'python', '%%bash\nls -l'],
    ['ls -l', 'sh', 'text/x-ipython', '%%sh\nls -l'],
    ['$ ls\na.txt\n  $ cat a.txt', 'console', 'text/x-ipython', '%%bash\nls\ncat a.txt'],
    ['echo $ HOME', 'bash', 'text/x-ipython', '%%bash\necho $ HOME']
  ])('of a shell has its magic in a notebook of Python (U17): %j', (code, language, kernel, made) => {
    expect(cellCode(code, language, kernel)).toBe(made);
  });

  it.each([
    ['x = 1', 'python', 'text/x-ipython'],
    ['x = 1', '', 'text/x-ipython'],
    ['x', 'constructor', 'text/x-ipython'],
    ['ls', 'bash', 'text/x-sh'],
    ['!ls', 'bash', 'text/x-ipython'],
    ['%%bash\nls', 'bash', 'text/x-ipython']
  ])('is as it was otherwise (U17): %j in %j', (code, language, kernel) => {
    expect(cellCode(code, language, kernel)).toBe(code);
  });
});

describe('code in a file', () => {
  it.each([
    ['f(x)', '  y = ', '  # here', 'f(x)'],
    ['if x:\n  y()\n\nz()', '    ', '', 'if x:\n      y()\n\n    z()'],
    ['a\nb', '  c = 1', '', '\n  a\n  b'],
    ['a\nb', '', 'c = 1', 'a\nb\n'],
    ['a\nb', '  c', 'd', '\n  a\n  b\n  ']
  ])('stands on lines of its own when it has several (U1): %j', (code, before, after, made) => {
    expect(fileCode(code, before, after)).toBe(made);
  });
});
