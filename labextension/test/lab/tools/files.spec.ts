// @vitest-environment jsdom
/** N1, N10: files are written where they are open, and taken back without loss. */
import { YFile } from '@jupyter/ydoc';
import { ServerConnection } from '@jupyterlab/services';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { TextFiles, TextFilesOptions } from '../../../src/lab/tools/files/textFiles';
import { OpenFile, SAVING, writeOpen } from '../../../src/lab/tools/files/writing';
import { OpenDocuments } from '../../../src/lab/tools/openDocuments';
import { pageWorkOf } from '../../../src/lab/tools/pageWork';
import { moveFile } from '../../../src/lab/tools/undo/files';
import { NotWanted } from '../../../src/chat/tools/pageCalls';
import { Noted } from '../../../src/stores/agent/toolRoutes';

/** What writes; no cell is run here. */
const workOf = (documents: OpenDocuments): ReturnType<typeof pageWorkOf> =>
  pageWorkOf(documents, null, {} as never, () => undefined);

/** What is on the disk, and what is open. */
let disk: Record<string, string>;
let open: Record<string, ReturnType<typeof file>>;
let saves: () => Promise<void>;
let saved: string[];

function file(text: string) {
  const shared = YFile.create();
  shared.setSource(text);
  shared.clearUndoHistory();
  const model = { sharedModel: shared, readOnly: false, toString: () => shared.getSource() };
  const save = (): Promise<void> => {
    saved.push(shared.getSource());
    return saves();
  };
  return { model, save, contentsModel: { writable: true, format: 'text' } };
}
const of = (one: ReturnType<typeof file>): OpenFile => one as unknown as OpenFile;
const missing = (): Error => new ServerConnection.ResponseError(new Response('', { status: 404 }));

const documents = {
  findNotebook: () => null,
  text: (path: string) => Promise.resolve(open[path] ?? null),
  file: (path: string) => Promise.resolve(open[path])
} as unknown as OpenDocuments;
const files = new TextFiles({
  open: documents,
  documents: {
    openOrReveal: (path: string, factory: string) => {
      expect(factory).toBe('Editor');
      if (path in disk) {
        open[path] = file(disk[path].replace(/\r\n?/g, '\n'));
      }
      return { revealed: Promise.resolve() };
    },
    deleteFile: (path: string) => {
      if (!(path in disk)) {
        return Promise.reject(missing());
      }
      delete disk[path];
      delete open[path];
      return Promise.resolve();
    }
  },
  contents: {
    get: (path: string, asked: { content?: boolean }) =>
      path in disk
        ? Promise.resolve({ content: asked.content ? disk[path] : null })
        : Promise.reject(missing()),
    save: (path: string, { content }: { content: string }) => {
      disk[path] = content;
      return Promise.resolve({});
    }
  }
} as unknown as TextFilesOptions);

beforeEach(() => {
  [disk, open, saved] = [{}, {}, []];
  saves = () => Promise.resolve();
});
afterEach(() => void vi.useRealTimers());

const noted = (n: number, before: string | null, after: string, state: Noted['state'] = 'done'): Noted => ({
  ...{ n, call_id: 'c', path: 'a', action: 'write', before, after, state }
});
const move = async (writes: Noted[], undone = true): Promise<string[]> =>
  (await moveFile(files, 'a', writes, undone)).map(one => one.why ?? one.outcome);

describe('a file that is open', () => {
  const write = (before: string | null, text: string, begin = (): void => undefined): Promise<boolean> =>
    writeOpen(of(open.a), before, text, begin);

  it('is written as one step of undo, apart from what was typed, and saved', async () => {
    const shared = (open.a = file('one\ntwo\n')).model.sharedModel;
    shared.updateSource(0, 0, 'mine ');
    const work = workOf(documents);
    const args = { path: 'a', before: 'mine one\ntwo\n', text: 'mine one\n2\n' };
    expect(await work('write', args, () => undefined)).toEqual({ done: true, saved: true });
    expect(saved).toEqual(['mine one\n2\n']);
    shared.updateSource(0, 0, 'more ');
    shared.undo();
    expect(shared.getSource()).toBe('mine one\n2\n');
    shared.undo();
    expect(shared.getSource()).toBe('mine one\ntwo\n');
    shared.undo();
    expect(shared.getSource()).toBe('one\ntwo\n');
  });

  it('is left where it is not as expected, read-only, or the reply was stopped (N9)', async () => {
    open.a = file('one');
    const stopped = (): void => {
      throw new NotWanted();
    };
    await expect(write('two', 'x')).rejects.toMatchObject({ code: 'changed' });
    await expect(write(null, 'x')).rejects.toMatchObject({ code: 'changed' });
    await expect(write('one', 'x', stopped)).rejects.toBeInstanceOf(NotWanted);
    open.a.contentsModel.writable = false;
    await expect(write('one', 'x')).rejects.toMatchObject({ code: 'read_only' });
    open.a.contentsModel.writable = true;
    open.a.model.readOnly = true;
    await expect(write('one', 'x')).rejects.toMatchObject({ code: 'read_only' });
    expect([open.a.model.toString(), saved]).toEqual(['one', []]);
    await expect(workOf(documents)('write', { path: 'a' }, stopped)).rejects.toMatchObject({
      code: 'bad_request'
    });
  });

  it('tells that it could not be saved, also where a person is asked for long', async () => {
    open.a = file('one');
    saves = () => Promise.reject(new Error('the disk is full'));
    expect(await write('one', 'two')).toBe(false);
    vi.useFakeTimers();
    saves = () => new Promise(() => undefined);
    const writing = write('two', 'three');
    await vi.advanceTimersByTimeAsync(SAVING);
    expect(await writing).toBe(false);
    expect(open.a.model.toString()).toBe('three');
  });

  it('tells so where its person has taken what another wrote on the disk instead', async () => {
    open.a = file('one');
    saves = () => Promise.resolve(open.a.model.sharedModel.setSource('theirs'));
    expect(await write('one', 'two')).toBe(false);
  });
});

describe('a file that a reply wrote', () => {
  it('is put back in its editor, which is opened, and written again', async () => {
    disk.a = 'new\r\nlast\r\n';
    const writes = [noted(0, 'old\nlast\n', 'newer\nlast\n'), noted(1, 'newer\nlast\n', 'new\nlast\n')];
    expect(await move(writes)).toEqual(['put_back', 'put_back']);
    expect([open.a.model.toString(), saved]).toEqual(['old\nlast\n', ['old\nlast\n']]);
    expect(await move(writes)).toEqual(['put_back', 'put_back']);
    const undone = writes.map(one => ({ ...one, state: 'undone' as const }));
    expect(await move(undone, false)).toEqual(['put_back', 'put_back']);
    expect(open.a.model.toString()).toBe('new\nlast\n');
  });

  it('keeps what a person wrote since, and is left where that is in the same lines', async () => {
    open.a = file('new\nmiddle\nmine\n');
    expect(await move([noted(0, 'old\nmiddle\nlast\n', 'new\nmiddle\nlast\n')])).toEqual(['merged']);
    expect(open.a.model.toString()).toBe('old\nmiddle\nmine\n');
    open.a = file('mine\n');
    expect(await move([noted(0, 'old\n', 'new\n')])).toEqual(['changed']);
    expect([open.a.model.toString(), saved.length]).toEqual(['mine\n', 1]);
  });

  it('is deleted where it was new and is as it was left, and comes again as it was written', async () => {
    disk.a = 'one\r\ntwo';
    const write = noted(0, null, 'one\r\ntwo');
    expect(await move([write])).toEqual(['put_back']);
    expect(disk).toEqual({});
    expect(await move([write])).toEqual(['put_back']);
    const undone = [{ ...write, state: 'undone' as const }];
    expect(await move(undone, false)).toEqual(['put_back']);
    expect(disk.a).toBe('one\r\ntwo');
    expect(await move(undone, false)).toEqual(['put_back']);
    open.a = file('one\ntwo, mine');
    expect(await move([write])).toEqual(['changed']);
    expect(disk.a).toBe('one\r\ntwo');
  });

  it('is not written over what somebody else made in its place', async () => {
    disk.a = 'theirs';
    expect(await move([noted(0, null, 'one', 'undone'), noted(1, 'one', 'two', 'undone')], false)).toEqual([
      'changed',
      'changed'
    ]);
    expect(disk.a).toBe('theirs');
  });

  it('is not said to be put back where it could not be saved', async () => {
    open.a = file('new');
    saves = () => Promise.reject(new Error('the disk is full'));
    expect(await move([noted(0, 'old', 'new')])).toEqual(['not_saved']);
  });

  it('is left where it is gone, and what failed is no change', async () => {
    expect(await move([noted(0, 'old', 'new'), noted(1, 'new', 'x', 'failed')])).toEqual(['gone']);
    expect([disk, saved]).toEqual([{}, []]);
  });

  it('is left where it changes while it is read', async () => {
    open.a = file('new');
    const racing = {
      read: async (path: string) => {
        const text = await files.read(path);
        open.a.model.sharedModel.setSource('mine');
        return text;
      },
      put: files.put.bind(files)
    };
    const [came] = await moveFile(racing, 'a', [noted(0, 'old', 'new')], true);
    expect([came.why, open.a.model.toString()]).toEqual(['changed', 'mine']);
  });
});
