// @vitest-environment jsdom
/** N10: what a reply changed is taken back in its own notebook, and in no other that looks like it. */
import { YNotebook } from '@jupyter/ydoc';
import { ServerConnection } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { OpenDocuments, OpenDocumentsOptions } from '../../../src/lab/tools/openDocuments';
import { Undoing } from '../../../src/lab/tools/undo/undoing';
import { Moved, Noted } from '../../../src/stores/agent/toolRoutes';

type Book = ReturnType<typeof book>;

function book(path: string, ...cells: [id: string, source: string][]) {
  const sharedModel = YNotebook.create({ disableDocumentWideUndoRedo: true });
  sharedModel.insertCells(
    0,
    cells.map(([id, source]) => ({ id, source, cell_type: 'code', metadata: {} }))
  );
  const model = { sharedModel, readOnly: false };
  return {
    ...{ isDisposed: false, isVisible: true, content: { model, widgets: [] } },
    context: { path, model, isReady: true, ready: Promise.resolve(), disposed: new Signal({}) }
  };
}
const sources = (one: Book): string[] => one.context.model.sharedModel.cells.map(cell => cell.getSource());

let opened: Book[];
let files: Book[];
let told: Moved[];
let noted: Noted[];

const change = { n: 0, call_id: 'c', path: 'a.ipynb', state: 'done' } as const;

function undo(): Promise<unknown> {
  const documents = new OpenDocuments({
    notebooks: {
      forEach: (what: (one: Book) => void) => opened.forEach(what),
      find: (is: (one: Book) => boolean) => opened.find(is)
    },
    documents: {
      openOrReveal: (path: string) => {
        opened.push(...files.filter(one => one.context.path === path));
        return { revealed: Promise.resolve() };
      }
    },
    contents: {
      driveName: () => '',
      localPath: (path: string) => path,
      get: (path: string) =>
        files.some(one => one.context.path === path)
          ? Promise.resolve({})
          : Promise.reject(new ServerConnection.ResponseError(new Response('', { status: 404 })))
    },
    ...{ editors: null, inFront: { document: null } }
  } as unknown as OpenDocumentsOptions);
  const routes = {
    changes: () => Promise.resolve(noted),
    moved: (_id: string, _undone: boolean, outcomes: readonly Moved[]) => {
      told = [...outcomes];
      return Promise.resolve();
    }
  };
  return new Undoing(documents, null, null as never, routes).move('m', true);
}

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(); // Yjs, where JupyterLab copies a cell
  [opened, files, told] = [[], [], []];
  noted = [{ ...change, action: 'replace', cell_id: 'x', before: 'old', after: 'new' }];
});

describe('the notebook of an undo', () => {
  it('is its own, also where only a copy of it is open', async () => {
    const [own, copy] = [book('a.ipynb', ['x', 'new']), book('a-Copy1.ipynb', ['x', 'new'])];
    files = [own, copy];
    opened = [copy];
    await undo();
    expect([sources(own), sources(copy)]).toEqual([['old'], ['new']]);
    expect(told).toEqual([{ n: 0, outcome: 'put_back' }]);
  });

  it('is found under its new name, by the neighbours where the cell is deleted', async () => {
    const renamed = book('b.ipynb', ['y', 'y']);
    files = opened = [renamed];
    noted = [{ ...change, action: 'delete', cell_id: 'x', before: 'x', beside: { above: null, below: 'y' } }];
    await undo();
    expect(sources(renamed)).toEqual(['x', 'y']);
  });

  it('is left alone where it is deleted', async () => {
    await undo();
    expect(told).toEqual([{ n: 0, outcome: 'left', why: 'not_open' }]);
  });
});
