// @vitest-environment jsdom
/** N1, N17: what a page tells of its open documents: as they are, in bounds, and without a kernel. */
import { NotebookPanel } from '@jupyterlab/notebook';
import { beforeEach, expect, it } from 'vitest';

import { OpenDocuments, OpenDocumentsOptions } from '../../../src/lab/tools/openDocuments';
import { pageWorkOf } from '../../../src/lab/tools/pageWork';
import { PageFailure, PageWork } from '../../../src/chat/tools/pageCalls';

interface FakeCell {
  id: string;
  type: string;
  source: string;
  outputs?: object[];
}

let cells: FakeCell[];
let isDisposed: boolean;
let isLoaded: Promise<void>;
let work: PageWork;

const model = (cell: FakeCell) => {
  const outputs = (cell.outputs ?? []).map(value => ({
    type: (value as { output_type: string }).output_type,
    toJSON: () => value
  }));
  return {
    ...{ id: cell.id, type: cell.type, executionCount: cell.type === 'code' ? 4 : undefined },
    outputs: { length: outputs.length, get: (at: number) => outputs[at] },
    sharedModel: {
      getSource: () => cell.source,
      getId: () => cell.id,
      toJSON: () => ({ cell_type: cell.type, source: cell.source, outputs: cell.outputs })
    }
  };
};
const book = (path: string, isVisible = false) => ({
  get isDisposed() {
    return isDisposed;
  },
  isVisible,
  sessionContext: { session: { kernel: { id: 'k', name: 'python3', status: 'busy' } } },
  content: { model: { getMetadata: () => undefined, defaultKernelLanguage: 'python' } },
  context: {
    path,
    get ready() {
      return isLoaded;
    },
    model: {
      dirty: true,
      get cells() {
        return { length: cells.length, get: (at: number) => model(cells[at]) };
      },
      get sharedModel() {
        return { cells: cells.map(one => model(one).sharedModel) };
      }
    }
  }
});
const text = (path: string, content: string, format: string | null = 'text') => ({
  isDisposed: false,
  context: {
    path,
    ready: Promise.resolve(),
    contentsModel: { format },
    model: { dirty: false, toString: () => content }
  }
});

beforeEach(() => {
  cells = [];
  [isDisposed, isLoaded] = [false, Promise.resolve()];
  const books = [book('RTC:x/a.ipynb'), book('x/a.ipynb', true), book('other:b.ipynb')];
  const files = [text('n.py', 'print(1)'), text('saved.py', 'print(2)', null), text('p.bin', '', 'base64')];
  const tracker = (all: object[]) => ({
    forEach: (what: (one: object) => void) => all.forEach(what),
    find: (is: (one: object) => boolean) => all.find(is)
  });
  const drive = (path: string): string => (path.includes(':') ? path.split(':')[0] : '');
  const documents = new OpenDocuments({
    ...{ notebooks: tracker(books), editors: tracker(files), documents: { findWidget: () => undefined } },
    contents: { driveName: drive, localPath: (path: string) => path.split(':').pop() ?? '' },
    inFront: { document: null, notebook: books[1] as unknown as NotebookPanel }
  } as unknown as OpenDocumentsOptions);
  work = pageWorkOf(documents, null, runs, panel => looked.push(panel.context.path));
});

/** What is looked at of an answer. */
interface Told {
  cells: { outputs: object[]; outputs_total?: number }[];
}
/** The notebooks for which it was looked what is kept. */
const looked: string[] = [];
/** What would run cells. */
const runs = {
  run: (panel: NotebookPanel, wanted: object) => Promise.resolve({ msg_id: panel.context.path, ...wanted }),
  end: (_panel: NotebookPanel, ...asked: string[]) => Promise.resolve({ put: asked[1] === 'm', asked } as never)
};
const ask = (operation: string, args: Record<string, unknown> = {}): Promise<Told> =>
  work(operation, args, () => undefined) as Promise<Told>;
const why = (operation: string, args: Record<string, unknown> = {}): Promise<unknown> =>
  ask(operation, args).then(
    () => 'done',
    (error: PageFailure) => error.code
  );
const path = 'x/a.ipynb';

it('tells what is open, once each, and nothing of drives that are not the server’s', async () => {
  const kernel = { id: 'k', name: 'python3', language: 'python', state: 'busy' };
  expect(await ask('documents')).toEqual({
    documents: [
      { path, kind: 'notebook', dirty: true, active: true, kernel },
      { path: 'n.py', kind: 'file', dirty: false, active: false, kernel: null },
      { path: 'saved.py', kind: 'file', dirty: false, active: false, kernel: null },
      { path: 'p.bin', kind: 'file', dirty: false, active: false, kernel: null }
    ]
  });
});

it('tells cells with what they showed, each text cut, and how long it is', async () => {
  cells = [
    {
      ...{ id: 'a', type: 'code', source: 'x'.repeat(30) },
      outputs: [
        { output_type: 'stream', name: 'stdout', text: ['one\n', 'two\n', 'three\n'] },
        { output_type: 'error', ename: 'E', evalue: 'v', traceback: ['\u001b[31mE\u001b[0m: v'] },
        { output_type: 'execute_result', execution_count: 1, metadata: {}, data: { 'text/plain': ['4', '2'], 'text/html': '<b>' } },
        { output_type: 'display_data', metadata: {}, data: { 'image/png': 'AAAA' } },
        { output_type: 'display_data', metadata: {}, data: { 'application/json': { a: 1 } } }
      ]
    },
    { id: 'b', type: 'markdown', source: 'ab\ud83d\ude00' }
  ];
  const told = await ask('read', { path, chars: 10 });
  expect(told).toMatchObject({ total: 2, language: 'python' });
  expect(told.cells[0]).toMatchObject({ source: 'x'.repeat(10), length: 30, execution_count: 4, index: 0 });
  expect(told.cells[0].outputs).toEqual([
    { type: 'stream', text: 'one\ntwo\nth', length: 14, mime: ['text/plain'] },
    { type: 'error', text: 'E: v', length: 4, mime: [] },
    { type: 'result', text: '42', length: 2, mime: ['text/plain', 'text/html'] },
    { type: 'display', text: '', length: 0, mime: ['image/png'] },
    { type: 'display', text: '{"a":1}', length: 7, mime: ['application/json'] }
  ]);
  const cut = await ask('read', { path, chars: 3, from: 1, count: 9 });
  expect(cut.cells).toEqual([
    { id: 'b', index: 1, type: 'markdown', source: 'ab', length: 4, execution_count: null, outputs: [] }
  ]);
  expect((await ask('read', { path, chars: 9, cells: ['b'] })).cells).toHaveLength(1);
  expect(await why('read', { path, chars: 9, cells: ['b', 'z'] })).toBe('gone');
});

it('tells few of very many outputs, and no cell that is too large', async () => {
  const output = { output_type: 'stream', name: 'stdout', text: 'x' };
  cells = [{ id: 'a', type: 'code', source: '', outputs: Array<object>(1000).fill(output) }];
  const [cell] = (await ask('read', { path, chars: 10 })).cells;
  expect([cell.outputs.length, cell.outputs_total]).toEqual([40, 1000]);
  cells = [{ id: 'a', type: 'code', source: 'x'.repeat(1_100_000) }, { id: 'b', type: 'raw', source: 'r' }];
  expect(await why('cell', { path, cell_id: 'a' })).toBe('too_large');
  expect(await why('cell', { path, cell_id: 'z' })).toBe('gone');
  expect(await ask('cell', { path, cell_id: 'b' })).toEqual({
    ...{ cell: { id: 'b', cell_type: 'raw', source: 'r' }, index: 1, above: 'a', below: null }
  });
});

it('refuses what is not open here, or could not be loaded, and what does not fit', async () => {
  expect(await ask('read', { path: 'n.py', chars: 5 })).toEqual({ text: 'print', length: 8 });
  // its format is not known any more
  expect(await ask('read', { path: 'saved.py' })).toEqual({ text: 'print(2)', length: 8 });
  const refused: [string, Record<string, unknown>, string][] = [
    ['read', { path: 'b.ipynb', chars: 5 }, 'not_open'],
    ['read', { path: 'p.bin', chars: 5 }, 'not_open'],
    ['cell', { path: 'n.py', cell_id: 'a' }, 'not_open'],
    ['read', { path: 7 }, 'bad_request'],
    ['read', { path, chars: -1 }, 'bad_request'],
    ['read', { path, chars: 5, cells: 'a' }, 'bad_request'],
    ['edit', { path, edit: null }, 'bad_request'],
    ['run', { path }, 'bad_request']
  ];
  for (const [operation, args, code] of refused) {
    expect(await why(operation, args), JSON.stringify(args)).toBe(code);
  }
  isLoaded = Promise.reject(new Error('no notebook'));
  expect(await why('read', { path, chars: 5 })).toBe('not_open');
  isLoaded = Promise.resolve();
  isDisposed = true;
  expect(await why('read', { path, chars: 5 })).toBe('not_open');
});

it('runs a cell, ends its run, and starts a kernel that is not there', async () => {
  const wanted = { cell_id: 'a', source: 'x', mark: 'm', kernel_id: 'k' };
  expect(await ask('run', { path, ...wanted })).toEqual({
    ...{ msg_id: path, cellId: 'a', source: 'x', mark: 'm', kernelId: 'k' }
  });
  expect(await why('run', { path, ...wanted, mark: 1 })).toBe('bad_request');
  expect(await why('run', { ...wanted, path: 'other.ipynb' })).toBe('not_open');
  expect(await ask('run_end', { path, cell_id: 'a', mark: 'm' })).toEqual({ put: true, asked: ['a', 'm'] });
  expect(looked).toEqual([]);
  expect(await ask('run_end', { path, cell_id: 'a', mark: 'another' })).toMatchObject({ put: false });
  expect(looked).toEqual([path]);
  expect(await ask('start_kernel', { path })).toEqual({ kernel_id: 'k' }); // it lives
});
