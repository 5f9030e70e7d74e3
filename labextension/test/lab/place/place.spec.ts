// @vitest-environment jsdom
/** U1: where the person is: what it costs to say it, and what of it is looked at as a prompt is sent. */
import { nullTranslator } from '@jupyterlab/translation';
import { beforeEach, expect, it } from 'vitest';

import { Place, PlaceOptions } from '../../../src/lab/place/place';

let written: number[];
let texts: number;
let document_: object | null;
let caret: { line: number; column: number };

const editor = {
  getSelection: () => ({ start: { line: 41, column: 0 }, end: caret }),
  getOffsetAt: ({ line, column }: typeof caret) => line * 10 + column,
  model: { sharedModel: { getSource: () => ((texts += 1), `${'x'.repeat(9)}\n`.repeat(100)) } }
};
const sources = ['a', 'b', 'c', 'd'];
const panel = {
  context: { path: 'a.ipynb' },
  content: {
    activeCellIndex: 1,
    activeCell: { editor },
    model: {
      getMetadata: () => undefined,
      cells: {
        get length() {
          return sources.length;
        },
        get: (at: number) => ({
          toJSON: () => (written.push(at), { cell_type: 'code', source: `${sources[at]} = 1`, outputs: [] })
        })
      }
    }
  }
};
const file = { context: { path: 'a.py' }, content: { editor } };

const place = (): Place =>
  new Place({
    shell: {},
    inFront: {
      get document() {
        return document_;
      },
      get notebook() {
        return document_ === panel ? panel : null;
      }
    },
    notebooks: { has: (one: object) => one === panel, currentChanged: { connect: () => true }, activeCellChanged: { connect: () => true } },
    editors: { find: (is: (one: object) => boolean) => (is(file) ? file : undefined), currentChanged: { connect: () => true } },
    contents: { localPath: (path: string) => path },
    trans: nullTranslator.load(''),
    schedule: () => undefined
  } as unknown as PlaceOptions);

beforeEach(() => {
  [written, texts, document_, caret] = [[], 0, file, { line: 41, column: 0 }];
});

it('is said without a look at the text: a file may have many megabytes, and it is said at each key', () => {
  const here = place();
  expect(here.label()).toBe('a.py, line 42');
  caret = { line: 2, column: 5 }; // selected from its end
  expect(here.label()).toBe('a.py, lines 3 to 42');
  document_ = panel;
  caret = { line: 41, column: 0 };
  expect(here.label()).toBe('a.ipynb, cell 2');
  expect(texts).toBe(0);
  document_ = null;
  expect([here.label(), here.look()]).toEqual(['', null]);
});

it('is what it was as it was looked at, whatever comes of the notebook, and each cell is written once', async () => {
  document_ = panel;
  const read = place().look();
  const first = read?.(8000);
  read?.(4000);
  expect([...written].sort()).toEqual([0, 1, 2, 3]);
  panel.content.activeCellIndex = 3;
  sources.fill('later');
  await Promise.resolve();
  expect(read?.(8000)).toEqual(first);
  expect(first).toMatchObject({ name: 'Notebook: a.ipynb, cell 2', kind: 'context' });
  // what was not looked at then is not told, and nothing else is told in its place
  document_ = panel;
  const late = place().look();
  await Promise.resolve();
  expect(late?.(8000).text).toBe('Path: a.ipynb\nCells: 4, of which cell 4 is the active one');
});
