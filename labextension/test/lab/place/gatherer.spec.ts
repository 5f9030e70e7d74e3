/** What is put together for a prompt, from where the person is and what the prompt names. */
import { nullTranslator } from '@jupyterlab/translation';
import { beforeEach, describe, expect, it } from 'vitest';

import { ASSUMED } from '../../../src/chat/attachments';
import { Occasion } from '../../../src/chat/sending/gathering';
import { NamedFiles } from '../../../src/lab/place/files';
import { Gatherer } from '../../../src/lab/place/gatherer';
import { Place } from '../../../src/lab/place/place';
import { Attachment, Limits } from '../../../src/wire/protocol';

const MINE: Attachment = { name: 'mine.txt', text: 'mine' };
const OLD: Attachment = { name: 'Notebook: a.ipynb, cell 1', text: 'old', kind: 'context' };

let label: string;
let selection: string;
let content: string;
let tokens: number | undefined;
let tellsPlace: boolean;
let notebook: unknown;
/** Which cells were written down. */
let written: number[];

/** A notebook of many cells, of which one has failed. */
const MANY = {
  context: { path: 'a.ipynb' },
  content: {
    activeCellIndex: 2,
    model: {
      getMetadata: () => undefined,
      cells: Object.assign(
        Array.from({ length: 5 }, (_, n) => ({
          type: 'code',
          executionCount: n,
          outputs: { length: n === 1 ? 1 : 0, get: () => ({ type: 'error' }) },
          toJSON: () => (written.push(n), { cell_type: 'code', source: `x = ${n}` })
        })),
        { get: (at: number) => (MANY.content.model.cells as unknown as object[])[at] }
      )
    }
  }
};

const place = {
  label: () => label,
  look: () => {
    const name = `Notebook: ${label}`;
    return label && ((most: number) => ({ name, text: 'x'.repeat(most), kind: 'context' }));
  },
  get lastNotebook() {
    return notebook;
  },
  get selection() {
    return selection;
  }
} as unknown as Place;
const files = {
  read: (path: string) =>
    Promise.resolve(
      path.endsWith('.png')
        ? { name: 'plot.png', text: '', mime_type: 'image/png', blob: 'digest', width: 4, height: 3 }
        : { text: content, mime_type: 'text/plain' }
    )
} as unknown as NamedFiles;
const gatherer = new Gatherer({
  ...{ place, files, trans: nullTranslator.load('') },
  tokens: () => tokens,
  tellsPlace: () => tellsPlace
});

const gather = (
  text: string,
  attachments: readonly Attachment[] = [],
  more: Partial<Occasion> = {},
  limits: Limits = ASSUMED
): ReturnType<Gatherer['gather']> =>
  gatherer.gather({
    ...{ draft: { text, attachments }, limits, withoutPlace: false, wordsOnly: false },
    signal: new AbortController().signal,
    ...more
  });
const names = (all: readonly Attachment[]): string[] => all.map(one => one.name);

beforeEach(() => {
  [notebook, written] = [null, []];
  MANY.content.activeCellIndex = 2;
  [label, selection, content, tokens, tellsPlace] = ['a.ipynb, cell 2', 's', 'words', undefined, true];
});

describe('where the person is', () => {
  const told = (...args: Parameters<typeof gather>): string[] => names(gather(...args) as Attachment[]);

  it('goes behind what is attached, at once, and in the place of what a stop brought back', () => {
    expect(told('why?', [OLD, MINE])).toEqual(['mine.txt', 'Notebook: a.ipynb, cell 2']);
  });

  it('is told neither anew nor as it was where there is no room', () => {
    tokens = 300;
    expect(told('why?', [OLD, MINE])).toEqual(['mine.txt']);
    expect(gatherer.preview({ draft: { text: 'why?', attachments: [] }, limits: ASSUMED })).toBeNull();
  });

  it('is left as it is where nothing is open, or it is not to be told', () => {
    expect(told('why?', [OLD], { withoutPlace: true })).toEqual([OLD.name]);
    tellsPlace = false;
    expect(told('why?')).toEqual([]);
    tellsPlace = true;
    label = '';
    expect(told('why?', [OLD])).toEqual([OLD.name]);
  });
});

describe('what a prompt names', () => {
  it('goes before it, each thing once and anew', async () => {
    const old: Attachment = { name: '@file:a.txt', text: 'old', kind: 'context' };
    const all = await gather('@file:a.txt and @selection and @file:a.txt', [old, MINE]);
    expect(names(all)).toEqual([
      ...['mine.txt', '@file:a.txt', '@selection – a.ipynb, cell 2'],
      'Notebook: a.ipynb, cell 2'
    ]);
    expect(all.map(one => one.kind)).toEqual([undefined, 'context', 'context', 'context']);
    expect(all[1].text).toBe('words');
  });

  it('is only words where the person wants that', () => {
    expect(names(gather('@cell', [], { wordsOnly: true }) as Attachment[])).toEqual([
      'Notebook: a.ipynb, cell 2'
    ]);
  });

  it('is shortened to its room, and says so', async () => {
    content = 'y'.repeat(5_000_000);
    tokens = 4000;
    const [file] = await gather('@file:a.txt');
    expect(file.name).toBe('@file:a.txt (beginning and end)');
    expect(file.text).toContain('[The middle is left out.]');
    expect(file.text.length).toBeLessThan(4000 * 4);
  });

  it('is refused where there is none', async () => {
    tokens = 100;
    content = 'y'.repeat(9999);
    await expect(gather('@file:a.txt')).rejects.toThrow('is too long for the model');
    tokens = undefined;
    const full = Array<Attachment>(20).fill(MINE);
    await expect(gather('@file:a.txt', full)).rejects.toThrow('A prompt can have 20 attachments');
  });

  it.each(['cell', 'output', 'error', 'notebook', 'variables'])(
    'is refused where it needs a notebook, and none is open: @%s',
    async name => {
      await expect(gather(`see @${name}`)).rejects.toThrow(`No notebook is open, so there is nothing for “@${name}”`);
    }
  );

  it('is refused where nothing is selected', async () => {
    selection = '';
    await expect(gather('@selection')).rejects.toThrow('Nothing is selected');
  });

  it('has a name that the server takes, and that still tells where it comes from', async () => {
    const path = `${'long/'.repeat(100)}a.txt`;
    const [file] = await gather(`@file:${path}`);
    expect(file.name.length).toBeLessThanOrEqual(300);
    expect(file.name).toMatch(/^@file:….*a\.txt$/);
  });

  it('is a picture as the picture that it is, once (W21)', async () => {
    tellsPlace = false;
    const first = await gather('@file:plot.png');
    expect(first).toMatchObject([{ name: '@file:plot.png', kind: 'context', blob: 'digest', width: 4 }]);
    expect(await gather('@file:plot.png', first)).toEqual(first);
  });

  it('is what it was as the prompt was sent, though the person goes elsewhere while a file is read', async () => {
    notebook = MANY;
    const told = gather('@file:a.txt and @cell and @selection');
    [selection, label, MANY.content.activeCellIndex] = ['later', 'b.ipynb, cell 4', 3];
    const all = await told;
    expect(names(all)).toEqual([
      ...['@file:a.txt', '@cell – cell 3 of a.ipynb', '@selection – a.ipynb, cell 2'],
      'Notebook: a.ipynb, cell 2'
    ]);
    expect(all[1].text).toContain('x = 2');
    expect(all[2].text).toContain('s');
  });

  it('has nothing written down of other cells: they may have printed very much', async () => {
    notebook = MANY;
    await expect(gather('@cell and @output')).rejects.toThrow('no output in words');
    const [error] = await gather('@error');
    expect(error.text).toContain('x = 1');
    expect(new Set(written)).toEqual(new Set([1, 2]));
  });
});
