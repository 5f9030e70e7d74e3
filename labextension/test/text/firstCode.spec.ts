import { describe, expect, it } from 'vitest';

import { firstCode } from '../../src/text/firstCode';

const REPLY = 'So:\n\n```python\nx = 1\n\n# ``` is no end\ny = 2\n```\n\nAnd then:\n\n```bash\nls\n```\n';
const CODE = 'x = 1\n\n# ``` is no end\ny = 2';

describe('the first code of a reply', () => {
  it('is its first fence, and nothing else', () => {
    expect(firstCode(REPLY, true)).toEqual({ text: CODE, language: 'python', whole: true });
  });

  it('only grows, and no part of the fence is in it', () => {
    let before = '';
    let wasWhole = false;
    for (let end = 0; end <= REPLY.length; end += 1) {
      const code = firstCode(REPLY.slice(0, end), false);
      const text = code?.text ?? '';
      expect(text.startsWith(before)).toBe(true);
      expect(CODE.startsWith(text)).toBe(true);
      expect(wasWhole && !code?.whole).toBe(false);
      before = text;
      wasWhole = code?.whole ?? false;
    }
    expect(before).toBe(CODE);
    expect(wasWhole).toBe(true);
  });

  it('is whole once its fence ends, though words follow', () => {
    expect(firstCode('```\na\n```', false)?.whole).toBe(true);
    expect(firstCode('```\na\n``', false)).toEqual({ text: 'a', language: '', whole: false });
    expect(firstCode('````\n```\na\n```\n````', false)?.text).toBe('```\na\n```');
  });

  it('is found in lists, quotations and without an end', () => {
    expect(firstCode('1. Do:\n\n   ```py\n   a\n     b\n   ```\n', true)?.text).toBe('a\n  b');
    expect(firstCode('> ~~~r\n> a <- 1\n> ~~~\n', true)).toMatchObject({ text: 'a <- 1', language: 'r' });
    expect(firstCode('```{python}\na', true)).toEqual({ text: 'a', language: 'python', whole: true });
  });

  it('is none where there is no fence', () => {
    expect(firstCode('Use `x = 1` here.\n\n    indented\n', true)).toBeNull();
    expect(firstCode('Text ```a``` text', true)).toBeNull();
    expect(firstCode('```py', false)).toBeNull();
  });

  it.each(['\r\n', '\r'])('has the ends of lines that a cell has: %j', end => {
    expect(firstCode(REPLY.replace(/\n/g, end), true)?.text).toBe(CODE);
    expect(firstCode('```\na\r', false)?.text).toBe('a');
  });
});
