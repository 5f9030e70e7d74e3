/** Files that a prompt names: what the contents manager says of them, and what is open. */
import { IDocumentManager } from '@jupyterlab/docmanager';
import { Contents, ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { beforeEach, expect, it, vi } from 'vitest';

import { ASSUMED } from '../../../src/chat/attachments';
import { NamedFiles } from '../../../src/lab/place/files';
import { Uploading } from '../../../src/lab/uploading';
import { UploadRoutes } from '../../../src/stores/uploadRoutes';

const trans = nullTranslator.load('');
let asked: string[];
let found: (path: string, content: boolean) => Partial<Contents.IModel>;
let open: unknown;
let files: NamedFiles;
let uploaded: string[];
/** How many pictures are on their way, and how many were at most. */
let [now, most] = [0, 0];
const KEPT = { blob: 'digest', mime_type: 'image/png', width: 4, height: 3 };
const occasion = { limits: ASSUMED, signal: new AbortController().signal };

class Refusal extends ServerConnection.ResponseError {
  constructor(status: number) {
    super({ status, statusText: '/secret' } as Response);
  }
}

const entry = (name: string, type = 'file'): Partial<Contents.IModel> => ({ name, type });

beforeEach(() => {
  [asked, uploaded, open] = [[], [], undefined];
  [now, most] = [0, 0];
  // as JupyterLab's: with options, no content is asked for unless they say so
  const get = async (path: string, { content = false } = {}): Promise<Contents.IModel> => {
    asked.push(path);
    return Promise.resolve(found(path, content) as Contents.IModel);
  };
  // by another name than null, only the view is found that a file has by default
  const findWidget = (_: string, name?: string | null): unknown => (name === null ? open : undefined);
  const routes = {
    picture: async (file: Blob) => {
      most = Math.max(most, (now += 1));
      uploaded.push(await file.text());
      now -= 1;
      return KEPT;
    },
    documentAt: (path: string) => (uploaded.push(path), Promise.resolve({ text: 'Words', left_out: 2 }))
  } as unknown as UploadRoutes;
  const uploading = new Uploading(routes, { get }, trans);
  files = new NamedFiles({ get }, { findWidget } as unknown as IDocumentManager, uploading, trans);
});

it('offers what is in a folder, and nothing of what is outside or cannot be listed', async () => {
  found = () => ({
    type: 'directory',
    content: [entry('b.txt'), entry('Data', 'directory'), entry('data.csv'), entry('odd".txt')]
  });
  expect(await files.startingWith('a/da')).toEqual(['a/data.csv', 'a/Data/']);
  expect(asked).toEqual(['a']);
  for (const typed of ['../', 'a/../../b', '..\\']) {
    expect(await files.startingWith(typed)).toEqual([]);
  }
  expect(asked).toEqual(['a']);
  found = () => ({ type: 'directory', content: Array.from({ length: 9999 }, (_, at) => entry(`${at}`)) });
  expect(await files.startingWith('')).toHaveLength(50);
  found = () => {
    throw new Refusal(404);
  };
  expect(await files.startingWith('none/')).toEqual([]);
});

it('lists a folder once while a name is typed, and again after a failure or a while', async () => {
  vi.useFakeTimers();
  found = () => ({ type: 'directory', content: [entry('data.csv')] });
  const all = ['d', 'da', 'dat'].map(typed => files.startingWith(`a/${typed}`));
  expect(await Promise.all(all)).toEqual(Array(3).fill(['a/data.csv']));
  expect(asked).toEqual(['a']);
  vi.advanceTimersByTime(5000);
  await files.startingWith('a/');
  await files.startingWith('b/');
  expect(asked).toEqual(['a', 'a', 'b']);
  found = () => {
    throw new Refusal(500);
  };
  expect(await files.startingWith('c/')).toEqual([]);
  found = () => ({ type: 'directory', content: [entry('data.csv')] });
  expect(await files.startingWith('c/')).toEqual(['c/data.csv']);
  vi.useRealTimers();
});

it('reads what is open as it is in the page', async () => {
  const context = { isReady: true, contentsModel: { type: 'file', format: 'text' }, model: { toString: () => 'not saved' } };
  open = { context };
  expect(await files.read('a.txt', occasion)).toEqual({ text: 'not saved', mime_type: 'text/plain' });
  const cells = [{ cell_type: 'markdown', source: '# So' }];
  open = { context: { isReady: true, contentsModel: { type: 'notebook' }, model: { toJSON: () => ({ cells }) } } };
  expect((await files.read('a.ipynb', occasion)).text).toBe('# So');
  expect(asked).toEqual([]);
});

it.each<[string, string, () => Partial<Contents.IModel>]>([
  ['../a.txt', 'is outside the folder', () => ({})],
  ['a\0b', 'is outside the folder', () => ({})],
  ['.hidden', 'was not found. Hidden files', () => { throw new Refusal(404); }],
  ['odd', 'was not found', () => { throw new Refusal(400); }],
  ['away', 'could not be read. Try again.', () => { throw new TypeError('/secret'); }],
  ['folder', 'is a folder', () => ({ type: 'directory' })],
  ['huge', 'is too large', () => ({ type: 'file', size: 60_000_000 })]
])('refuses %j in a sentence', async (path, sentence, what) => {
  found = what;
  await expect(files.read(path, occasion)).rejects.toThrow(sentence);
  await expect(files.read(path, occasion)).rejects.not.toThrow('secret');
});

it.each([
  ['notebook', 'no notebook that can be read'],
  ['file', 'no text file']
])('refuses a %s without what it should hold', async (type, sentence) => {
  found = (_, content) => {
    if (content) {
      throw new Refusal(400);
    }
    return { type };
  };
  await expect(files.read('odd', occasion)).rejects.toThrow(sentence);
});

it('refuses a notebook that is JSON of another kind', async () => {
  found = () => ({ type: 'notebook', content: { cells: 5 } });
  await expect(files.read('odd.ipynb', occasion)).rejects.toThrow('no notebook that can be read');
});

it('reads a picture as the picture that it is, and a document as its words (W21, W25)', async () => {
  found = (_, content) => (content ? { type: 'file', content: btoa('pixels') } : { type: 'file', size: 6 });
  expect(await files.read('a/plot.PNG', occasion)).toEqual({ name: 'plot.PNG', text: '', ...KEPT });
  const { text, mime_type } = await files.read('a/paper.pdf', occasion);
  expect(uploaded).toEqual(['pixels', 'a/paper.pdf']);
  expect([text, mime_type]).toEqual(['Words\n\n[2 more characters are left out.]', 'text/markdown']);
  found = (_, content) => {
    if (content) {
      throw new Refusal(404);
    }
    return { type: 'file' };
  };
  await expect(files.read('a.png', occasion)).rejects.toThrow('“a.png” cannot be sent. It could not be read.');
  found = () => ({ type: 'file', size: ASSUMED.max_upload_bytes + 1 });
  await expect(files.read('a.png', occasion)).rejects.toThrow('is too large to be sent');
  expect(uploaded).toHaveLength(2);
});

it('reads one after another, of which a server takes few at once, and none that was given up (W21)', async () => {
  found = (_, content) => (content ? { type: 'file', content: btoa('pixels') } : { type: 'file', size: 6 });
  await Promise.all(Array.from({ length: 9 }, (_, n) => files.read(`${n}.png`, occasion)));
  expect([uploaded.length, most]).toEqual([9, 1]);
  const stop = new AbortController();
  const given = [1, 2].map(n => files.read(`${n}.png`, { ...occasion, signal: stop.signal }));
  stop.abort();
  expect((await Promise.allSettled(given)).map(one => one.status)).toEqual(['rejected', 'rejected']);
  expect(uploaded).toHaveLength(9);
});
