// @vitest-environment jsdom
import { describe, expect, it } from 'vitest';

import { parse } from '../../src/text/parser';
import { Parsing, ParserWorker } from '../../src/text/parsing';

const CODES = [
  'if (![1, 2].includes(x)) { return "$a$ \\(b\\)"; }',
  '#include <iostream>\nint a = 1 && b < 2; // &lt; stays',
  'a *b* _c_ [d](e) ![f](g) `h`',
  '| a | b |\n|---|---|\n| $1 | $2 |',
  '<img src=x onerror=y> <!-- z -->\n\n    deeper\n\n# no heading',
  'echo $HOME $PATH $x$ $$y$$ \\[z\\]',
  '- [ ] no task\n1. no list\n> no quote\n---'
];

const codeOf = (markdown: string): (string | null)[] => {
  const root = document.createElement('template');
  root.innerHTML = parse(markdown) ?? '';
  return [...root.content.querySelectorAll('pre > code')].map(code => code.textContent);
};

const indented = (text: string, by: string): string =>
  text.replace(/^(?=[^\n])/gm, by);

describe('R1: code is what was written', () => {
  it.each(CODES)('%j, wherever it stands', code => {
    for (const fence of ['```', '~~~~', '`````']) {
      const block = `${fence}js\n${code}\n${fence}`;
      expect(codeOf(block)).toEqual([code]);
      expect(codeOf(`words\n${block}\nwords`)).toEqual([code]);
      expect(codeOf(`1. one\n\n${indented(block, '   ')}\n\n2. two`)).toEqual([code]);
      expect(codeOf(`- one\n${indented(block, '  ')}\n- two`)).toEqual([code]);
      expect(codeOf(`- a\n  - b\n${indented(block, '    ')}`)).toEqual([code]);
      expect(codeOf(block.replace(/^/gm, '> '))).toEqual([code]);
      expect(codeOf(indented(block, '  '))).toEqual([code]);
    }
    expect(codeOf(`words\n\n${indented(code, '    ')}\n\nwords`)).toEqual([code]);
  });

  it('in a sentence as well', () => {
    const root = document.createElement('template');
    root.innerHTML = parse('so `![1].includes($x$) && <b> &lt;` it is') ?? '';
    expect(root.content.querySelector('code')?.textContent).toBe('![1].includes($x$) && <b> &lt;');
  });

  it('a diagram is code to the parser, which draws nothing', () => {
    expect(parse('```mermaid\ngraph TD; A["<img src=x>"]\n```')).toBe(
      '<pre><code class="language-mermaid">graph TD; A[&quot;&lt;img src=x&gt;&quot;]</code></pre>\n'
    );
  });
});

describe('R5: what takes too long to parse', () => {
  const LONG = 'word '.repeat(1000);
  const timers: (() => void)[] = [];
  const after = (_: number, what: () => void): (() => void) => {
    timers.push(what);
    return () => timers.splice(timers.indexOf(what), 1);
  };
  class Scripted implements ParserWorker {
    onmessage: ParserWorker['onmessage'] = null;
    onerror: ParserWorker['onerror'] = null;
    sent: { id: number; markdown: string }[] = [];
    ended = false;
    postMessage(message: { id: number; markdown: string }): void {
      this.sent.push(message);
    }
    terminate(): void {
      this.ended = true;
    }
    answer(html: string): void {
      const { id } = this.sent[this.sent.length - 1];
      this.onmessage?.({ data: { id, html } } as MessageEvent<{ id: number; html: string | null }>);
    }
  }

  it('is ended, and what comes next has a worker of its own', async () => {
    const made: Scripted[] = [];
    const parsing = new Parsing({
      after,
      makeWorker: () => {
        made.push(new Scripted());
        return made[made.length - 1];
      }
    });
    const first = parsing.parse(LONG);
    const second = parsing.parse(`${LONG}2`);
    expect(made[0].sent.length).toBe(1);
    timers[0]();
    expect(await first).toBeNull();
    expect(made[0].ended).toBe(true);
    made[1].answer('two');
    expect(await second).toBe('two');
    expect(timers.length).toBe(0);
  });

  it('is not tried at all where there can be no worker', async () => {
    const parsing = new Parsing({
      after,
      makeWorker: () => {
        throw new Error('refused');
      }
    });
    expect(await parsing.parse(LONG)).toContain('<p>word');
    expect(await parsing.parse(LONG.repeat(4))).toBeNull();
    expect(await parsing.parse('*short*')).toBe('<p><em>short</em></p>\n');
  });

  it('nested beyond measure is nothing to format', () => {
    expect(parse('>'.repeat(20_000))).toBeNull();
    expect(parse('<b>'.repeat(20_000))).toBeNull();
  });
});
