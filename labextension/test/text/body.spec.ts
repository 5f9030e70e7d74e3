// @vitest-environment jsdom
import { beforeEach, describe, expect, it } from 'vitest';

import { LiveBody } from '../../src/text/body';

let host: HTMLElement;
let rendered: string[];
let running: number;
let most: number;
let frames: (() => void)[];
let pauses: number[];
let time: number;
let cost: number;
let gate: Promise<void> | null;
let fail: string | null;

beforeEach(() => {
  host = document.createElement('div');
  rendered = [];
  running = most = time = 0;
  frames = [];
  pauses = [];
  cost = 5;
  gate = fail = null;
});

function make(): LiveBody {
  return new LiveBody(host, {
    now: () => time,
    schedule: (what, ms) => {
      pauses.push(ms);
      frames.push(what);
    },
    growCode: () => {
      const node = document.createElement('pre');
      const words = document.createTextNode('');
      node.appendChild(document.createElement('code')).append(words);
      return {
        node,
        update: code => {
          words.data = code;
        },
        goesOn: code => code.startsWith(words.data)
      };
    },
    render: async markdown => {
      running += 1;
      most = Math.max(most, running);
      rendered.push(markdown);
      await gate;
      time += cost;
      running -= 1;
      if (markdown === fail) {
        throw new Error('no');
      }
      const node = document.createElement('div');
      node.textContent = markdown;
      return node;
    }
  });
}
/** Let one animation frame come, and what it starts end. */
async function frame(): Promise<void> {
  frames.splice(0).forEach(what => what());
  await rest();
}
const rest = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const blocks = (): Element[] => [...host.querySelectorAll('.jp-StopChat-block')];
const shown = (): string => blocks().map(node => node.textContent).join('|');

describe('a growing text', () => {
  it('renders each settled block once', async () => {
    const body = make();
    const block = (n: number): string => `Paragraph ${n} with words.\n\n`;
    let text = '';
    for (let n = 0; n < 50; n += 1) {
      for (const half of [block(n).slice(0, 9), block(n).slice(9)]) {
        text += half;
        body.update(text, false);
        await frame();
      }
    }
    body.update(`${text}End`, true);
    await frame();
    for (let n = 0; n < 50; n += 1) {
      expect(rendered.filter(source => source === block(n)).length).toBeLessThanOrEqual(2);
    }
    expect(blocks()).toHaveLength(51);
    expect(most).toBe(1);
  });

  it('shows no box before its code has come (U13)', async () => {
    const body = make();
    const show = async (text: string): Promise<string> => {
      body.update(text, false);
      await frame();
      return shown();
    };
    expect(await show('Words:\n\n```python\n')).toBe('Words:\n\n');
    expect(host.querySelector('pre')).toBeNull();
    expect(await show('Words:\n\n```python\n\nx')).toBe('Words:\n\n|\nx');
    expect(host.querySelectorAll('pre')).toHaveLength(1);
  });

  it('costs in all a fixed multiple of its length', async () => {
    const cost = async (size: number): Promise<number> => {
      host = document.createElement('div');
      rendered = [];
      const body = make();
      const text = 'Some words here to read.\n\n'.repeat(size);
      for (let at = 0; at < text.length; at += 13) {
        body.update(text.slice(0, at), false);
        await frame();
      }
      return rendered.reduce((sum, source) => sum + source.length, 0);
    };
    expect((await cost(80)) / (await cost(20))).toBeLessThan(4.6);
  });

  it('is rendered at most once a frame', async () => {
    const body = make();
    for (let n = 1; n < 30; n += 1) {
      body.update('word '.repeat(n), false);
    }
    expect(rendered).toEqual([]);
    await frame();
    expect(rendered).toHaveLength(1);
    expect(body.shown).toBe(29 * 5);
  });

  it('has one render at a time, and the last one stays', async () => {
    let open = (): void => undefined;
    gate = new Promise(resolve => {
      open = resolve;
    });
    const body = make();
    body.update('first', false);
    await frame();
    body.update('first and second', false);
    await frame();
    expect(rendered).toEqual(['first']);
    open();
    await rest();
    await frame();
    expect(most).toBe(1);
    expect(shown()).toBe('first and second');
  });

  it('leaves the page most of the time', async () => {
    const body = make();
    body.update('a', false);
    await frame();
    body.update('a b', false);
    // a render of 5 ms is followed by 50 ms in which none is made
    expect(pauses).toEqual([0, 50]);
  });

  it('goes on at once after a long text that came at once', async () => {
    const body = make();
    const long = 'A paragraph.\n\n'.repeat(200);
    body.update(`${long}tail`, false);
    await frame();
    expect(time).toBeGreaterThan(1000);
    body.update(`${long}tail, and more`, false);
    expect(pauses).toEqual([0, 50]);
  });

  it('never waits for longer than a second, however long an open block has become', async () => {
    const body = make();
    body.update('a', false);
    cost = 3000;
    await frame();
    body.update('a b', false);
    expect(pauses).toEqual([0, 1000]);
  });

  it('appends plain text to an open fence, and renders it when it is closed', async () => {
    const body = make();
    body.update('a\n\n```py\nx', false);
    await frame();
    const code = host.querySelector('code');
    const words = code?.firstChild;
    // the mark that closes it is never shown as code
    for (const [more, shown] of [
      ['y', 'y'],
      ['yz', 'yz'],
      ['yz\n`', 'yz\n'],
      ['yz\n``', 'yz\n']
    ]) {
      body.update(`a\n\n\`\`\`py\nx${more}`, false);
      await frame();
      expect(host.querySelector('code')?.firstChild).toBe(words);
      expect(code?.textContent).toBe(`x${shown}`);
    }
    const before = rendered.length;
    body.update('a\n\n```py\nxyz\n```\n', false);
    await frame();
    expect(rendered.slice(before)).toEqual(['```py\nxyz\n```\n']);
    expect(host.querySelector('code')).toBeNull();
  });

  it('goes on when one render fails', async () => {
    fail = 'bad';
    const log = console.error;
    console.error = () => undefined;
    const body = make();
    body.update('bad', false);
    await frame();
    body.update('bad no more', false);
    await frame();
    console.error = log;
    expect(shown()).toBe('bad no more');
  });
});

describe('the end', () => {
  it('renders each block of a text that was complete from the start once', async () => {
    const body = make();
    body.update('a\n\nb\n\nc', true);
    await frame();
    expect(rendered).toEqual(['a\n\n', 'b\n\n', 'c']);
  });

  it('closes what a stop left open (L11)', async () => {
    const body = make();
    body.update('a **b', true, true);
    await frame();
    expect(shown()).toBe('a **b**');
  });

  it('leaves a complete text as it is', async () => {
    const body = make();
    body.update('2 *3 and _x', false);
    await frame();
    expect(shown()).toBe('2 *3 and _x_*');
    body.update('2 *3 and _x', true);
    await frame();
    expect(shown()).toBe('2 *3 and _x');
  });

  it('closes the fence that was open', async () => {
    const body = make();
    body.update('a\n\n```\nx', false);
    await frame();
    body.update('a\n\n```\nx', true, true);
    await frame();
    expect(shown()).toBe('a\n\n|```\nx\n```');
  });

  it('goes on from a text that had ended', async () => {
    const body = make();
    body.update('a\n\nb', true);
    await frame();
    body.update('a\n\nb c\n\nd', false);
    await frame();
    expect(shown()).toBe('a\n\n|b c\n\n|d');
  });
});

describe('a cut', () => {
  it('keeps the blocks before it as they are', async () => {
    const body = make();
    body.update('a\n\nb\n\nc\n\nd', false);
    await frame();
    const [first, second] = blocks();
    const before = rendered.length;
    body.update('a\n\nb\n\nc', true);
    await frame();
    expect(shown()).toBe('a\n\n|b\n\n|c');
    expect(blocks().slice(0, 2)).toEqual([first, second]);
    expect(rendered.slice(before)).toEqual(['c']);
    expect(body.shown).toBe(7);
  });

  it('lets a render that was under way not come onto the page (S1)', async () => {
    const body = make();
    body.update('shown', false);
    await frame();
    let open = (): void => undefined;
    gate = new Promise(resolve => {
      open = resolve;
    });
    body.update('shown and late', false);
    await frame();
    expect(body.shown).toBe(5);
    body.update('shown', false);
    open();
    await rest();
    expect(shown()).toBe('shown');
    await frame();
    expect(shown()).toBe('shown');
  });

  it('down to nothing leaves nothing', async () => {
    const body = make();
    body.update('a\n\nb', false);
    await frame();
    body.update('', true);
    await frame();
    expect(host.childNodes).toHaveLength(0);
  });
});

describe('references', () => {
  it('are rendered again once when they are defined further below', async () => {
    const body = make();
    body.update('see [x][1]\n\nmore\n\n[1]: https://a.b\n\nend', false);
    await frame();
    body.update('see [x][1]\n\nmore\n\n[1]: https://a.b\n\nend.', true);
    await frame();
    const sources = rendered.filter(source => source.startsWith('see'));
    expect(sources).toEqual(['see [x][1]\n\n', 'see [x][1]\n\n[1]: https://a.b\n']);
    expect(rendered.filter(source => source.startsWith('more'))).toHaveLength(1);
  });
});

describe('disposal', () => {
  it('stops a render that is under way', async () => {
    let open = (): void => undefined;
    gate = new Promise(resolve => {
      open = resolve;
    });
    const body = make();
    body.update('a', false);
    await frame();
    body.dispose();
    open();
    await rest();
    expect(host.childNodes).toHaveLength(0);
  });
});
