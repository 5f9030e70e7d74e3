import { describe, expect, it } from 'vitest';

import { Splitter } from '../../src/text/splitter';

const DOCUMENT = `# Title

A paragraph with \`code\` and **bold**,
over two lines.

- one

- two

  more of two
  \`\`\`py
  a = 1

  b = 2
  \`\`\`
- three

After the list.
\`\`\`python
def f():

    return "\`\`\`"
\`\`\`
Right after the fence.

~~~~
~~~
still code

~~~~

$$
a

b
$$

\\[
x

y
\\]

<details><summary>s</summary>

inside <details>

nested

</details>

</details>

<!-- a comment

over lines -->

    indented code

    more of it

| a | b |
|---|---|
| 1 | 2 |

1. first

   second paragraph

2) other

> quote

[ref]: https://example.org/

Ünïcode 👋🏽 text.

- [ ] last`;

function split(text: string): { blocks: string[]; tail: string } {
  const splitter = new Splitter();
  splitter.advance(text);
  return {
    blocks: splitter.settled.map(block => text.slice(block.start, block.end)),
    tail: text.slice(splitter.tailStart)
  };
}
const blocksOf = (text: string): string[] => {
  const { blocks, tail } = split(text);
  return [...blocks, tail].map(block => block.trim());
};

describe('blocks and tail', () => {
  it('put together are the text, cut at every position', () => {
    for (let at = 0; at <= DOCUMENT.length; at += 1) {
      const { blocks, tail } = split(DOCUMENT.slice(0, at));
      expect(blocks.join('') + tail).toBe(DOCUMENT.slice(0, at));
    }
  });

  it('never change once they are settled, grown by every step', () => {
    for (const step of [1, 2, 3, 7, 50]) {
      const splitter = new Splitter();
      let before: string[] = [];
      for (let at = 0; at <= DOCUMENT.length + step; at += step) {
        splitter.advance(DOCUMENT.slice(0, at));
        const now = splitter.settled.map(block => DOCUMENT.slice(block.start, block.end));
        expect(now.slice(0, before.length)).toEqual(before);
        before = now;
      }
      // however it came, the blocks are those of the whole
      expect(before).toEqual(split(DOCUMENT).blocks);
    }
  });

  it('of a cut text begin with the same blocks', () => {
    const all = split(DOCUMENT).blocks;
    for (let at = 0; at <= DOCUMENT.length; at += 1) {
      const { blocks } = split(DOCUMENT.slice(0, at));
      expect(blocks).toEqual(all.slice(0, blocks.length));
    }
  });
});

describe('a block', () => {
  it('ends at a blank line', () => {
    expect(blocksOf('a\nb\n\nc\n\n\nd')).toEqual(['a\nb', 'c', 'd']);
  });

  it('is a fence, from its first line to its last', () => {
    expect(blocksOf('a\n```py\nx\n\ny\n```\nb')).toEqual(['a', '```py\nx\n\ny\n```', 'b']);
    expect(blocksOf('````\n```\n\nx\n````\n\nb')).toEqual(['````\n```\n\nx\n````', 'b']);
    expect(blocksOf('~~~\n```\n\n~~~\nb')).toEqual(['~~~\n```\n\n~~~', 'b']);
  });

  it('is not begun by what only looks like a fence', () => {
    expect(blocksOf('```a`b\n\nc')).toEqual(['```a`b', 'c']);
    expect(blocksOf('a\n\n      ```\n\nb')).toEqual(['a\n\n      ```', 'b']);
  });

  it('is a whole list, with its paragraphs and its code', () => {
    const list = '- a\n\n  b\n\n- c\n  ```\n  x\n\n  y\n  ```\n\n- d';
    expect(blocksOf(`${list}\n\nend`)).toEqual([list, 'end']);
    expect(blocksOf('1. a\n\n2. b\n\nend')).toEqual(['1. a\n\n2. b', 'end']);
    expect(blocksOf('text\n\n- a\n\nb')).toEqual(['text', '- a', 'b']);
  });

  it('is display math, an element or a comment, with blank lines in it', () => {
    expect(blocksOf('$$\na\n\nb\n$$\n\nc')).toEqual(['$$\na\n\nb\n$$', 'c']);
    expect(blocksOf('$$ a $$\n\nc')).toEqual(['$$ a $$', 'c']);
    expect(blocksOf('\\[\na\n\nb\n\\]\n\nc')).toEqual(['\\[\na\n\nb\n\\]', 'c']);
    const nested = '<div>\n\n<div>\n\na\n\n</div>\n\n</div>';
    expect(blocksOf(`${nested}\n\nc`)).toEqual([nested, 'c']);
    expect(blocksOf('<br>\n\nc')).toEqual(['<br>', 'c']);
    expect(blocksOf('<pre>\n\n<b>\n\n</pre>\n\nc')).toEqual(['<pre>\n\n<b>\n\n</pre>', 'c']);
    expect(blocksOf('<!-- a\n\nb -->\n\nc')).toEqual(['<!-- a\n\nb -->', 'c']);
  });

  it('is given up when an element is never closed', () => {
    const { blocks } = split(`<div>\n\n${'word\n\n'.repeat(10000)}`);
    expect(blocks.length).toBeGreaterThan(5000);
  });

  it('is settled by the letter that begins the next one', () => {
    expect(split('a\n\nb').blocks).toEqual(['a\n\n']);
    expect(split('- a\n\n').blocks).toEqual([]);
    expect(split('- a\n\n-').blocks).toEqual([]);
    expect(split('a\n\n ').blocks).toEqual([]);
  });
});

describe('an open fence', () => {
  it('tells where its code begins', () => {
    const splitter = new Splitter();
    splitter.advance('a\n```py\nx = 1\n');
    expect(splitter.openFence).toEqual({ info: 'py', mark: '```', codeStart: 8 });
    splitter.advance('a\n```py\nx = 1\n```\n');
    expect(splitter.openFence).toBeNull();
  });

  it('of a list is not one of its own', () => {
    const splitter = new Splitter();
    splitter.advance('- a\n  ```py\n  x\n');
    expect(splitter.openFence).toBeNull();
  });
});

describe('the work', () => {
  it('is linear: no part of a text is read more often when it is longer', () => {
    const reads = (size: number): number => {
      const whole = 'Some words here.\n\n'.repeat(size);
      let looked = 0;
      const splitter = new Splitter();
      for (let at = 0; at <= whole.length; at += 9) {
        const text = whole.slice(0, at);
        const counted = Object.create(String.prototype, {
          indexOf: {
            value: (what: string, from: number) => {
              looked += text.length - from;
              return text.indexOf(what, from);
            }
          },
          slice: { value: (from: number, to?: number) => text.slice(from, to) }
        }) as string;
        splitter.advance(counted);
      }
      return looked;
    };
    expect(reads(400) / reads(100)).toBeLessThan(4.5);
  });
});
