import { describe, expect, it } from 'vitest';

import { closeOpen, definitions, labels } from '../../src/text/markdown';

describe('what a stop leaves open is closed (L11)', () => {
  it.each([
    ['```py\nx = 1', '```py\nx = 1\n```'],
    ['```py\nx\n``', '```py\nx\n```'],
    ['- a\n  ```\n  x\n  ``', '- a\n  ```\n  x\n  ```'],
    ['```py\nx\n```', '```py\nx\n```'],
    ['~~~~\n```\n', '~~~~\n```\n~~~~'],
    ['- a\n  ```\n  x', '- a\n  ```\n  x\n  ```'],
    ['some **bold', 'some **bold**'],
    ['some **bold ', 'some **bold**'],
    ['some **', 'some '],
    ['*a **b', '*a **b***'],
    ['a *b* c', 'a *b* c'],
    ['**done** and _open', '**done** and _open_'],
    ['snake_case_name', 'snake_case_name'],
    ['2 * 3 * 4', '2 * 3 * 4'],
    ['an \\*escape', 'an \\*escape'],
    ['- item\n- *other', '- item\n- *other*'],
    ['* item', '* item'],
    ['~~gone', '~~gone~~'],
    ['`code', '`code`'],
    ['``a ` b', '``a ` b``'],
    ['a `*` b', 'a `*` b'],
    ['**a\n\nb', '**a\n\nb'],
    ['see [the docs](https://exa', 'see the docs'],
    ['![alt](http://exa', 'alt'],
    ['see [the docs](https://a.b/) x', 'see [the docs](https://a.b/) x'],
    ['a <div cla', 'a &lt;div cla'],
    ['a <b>x', 'a <b>x'],
    ['1 < 2', '1 < 2'],
    ['a <!-- note', 'a <!-- note -->'],
    ['$a_b$ and $c_d$', '$a_b$ and $c_d$'],
    ['| a | b |\n|---|---|\n| *x', '| a | b |\n|---|---|\n| *x*']
  ])('%j becomes %j', (before, after) => {
    expect(closeOpen(before)).toBe(after);
  });

  it('at every position, and once is enough', () => {
    const text = 'A **b _c_ d** `e` [f](g) ~~h~~\n\n```py\ni\n```\n\n- *j* <b>k</b>\n';
    for (let at = 0; at <= text.length; at += 1) {
      const closed = closeOpen(text.slice(0, at));
      expect(closeOpen(closed)).toBe(closed);
    }
  });
});

describe('references', () => {
  it('are found, and so are their definitions', () => {
    expect([...labels('see [a][Ref] and [b](x) and [c]')]).toEqual(['a', 'ref', 'c']);
    expect([...definitions('[Ref]: https://a.b\ntext\n  [c]: <d>\n[ref]: twice')]).toEqual([
      ['ref', '[Ref]: https://a.b'],
      ['c', '[c]: <d>']
    ]);
  });
});
