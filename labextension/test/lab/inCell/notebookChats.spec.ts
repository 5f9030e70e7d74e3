// @vitest-environment jsdom
import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it } from 'vitest';

import { OpenNotebook } from '../../../src/lab/difference/cellHandle';
import { NotebookChats } from '../../../src/lab/inCell/notebookChats';
import { NotebookMemory } from '../../../src/stores/notebookMemory';
import { Chat } from '../../../src/wire/protocol';
import { accept, begin, meta, online, openChats, sent, server } from '../../chatPage';
import { CHAT, uuid } from '../../support';

class FakeNotebook {
  path = 'work/a.ipynb';
  disposed = new Signal<this, void>(this);
  pathChanged = new Signal<this, string>(this);
}

let notebook: FakeNotebook;
let found: Chat[];
let renamed: string[][];
let memory: NotebookMemory;

const chats = (): NotebookChats =>
  new NotebookChats({
    openChats,
    memory,
    routes: {
      list: () => (found === undefined ? Promise.reject(new Error()) : Promise.resolve({ chats: found })),
      rename: (...one) => {
        renamed.push(one);
        return Promise.resolve();
      }
    }
  });
const of = (all: NotebookChats, one = notebook) => all.of(one as unknown as OpenNotebook);

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  begin();
  online();
  notebook = new FakeNotebook();
  memory = new NotebookMemory('/');
  found = [];
  renamed = [];
});

describe('the chat of a notebook', () => {
  it('is made with the first prompt, named after it, and found again (C8)', async () => {
    const all = chats();
    const controller = await of(all);
    expect(await of(all)).toBe(controller);
    controller.ask({ text: 'one', attachments: [] }, { elsewhere: true });
    accept(1, uuid(0x101), 'one');
    expect(renamed).toEqual([[CHAT, 'work/a.ipynb']]);
    expect(memory.chatOf('work/a.ipynb')).toBe(CHAT);
    // deleted while the notebook is open: the next one is a new one, and named as well
    server().say({ type: 'chat', chat: meta, deleted: true });
    controller.ask({ text: 'two', attachments: [] }, { elsewhere: true });
    accept(3, uuid(0x102), 'two');
    expect(renamed).toHaveLength(2);
    notebook.path = 'work/b.ipynb';
    notebook.pathChanged.emit('work/b.ipynb');
    await of(all);
    expect(memory.chatOf('work/b.ipynb')).toBe(CHAT);
  });

  it.each([
    ['work/a.ipynb', [[CHAT, 'work/b.ipynb']]],
    ['My own title', []]
  ])('goes along where the notebook is renamed, and another gets its name (C8): “%s”', async (title, told) => {
    memory.noteChat('work/a.ipynb', CHAT);
    const opened = of(chats());
    server().say({ type: 'chat', chat: { ...meta, title }, messages: [] });
    await opened;
    notebook.path = 'work/b.ipynb';
    notebook.pathChanged.emit('work/b.ipynb');
    await new Promise(resolve => setTimeout(resolve));
    expect([memory.chatOf('work/a.ipynb'), memory.chatOf('work/b.ipynb')]).toEqual([null, CHAT]);
    expect(renamed).toEqual(told);
  });

  it('is not the new chat in which somebody is typing (C8)', async () => {
    const draft = openChats.open(null);
    draft.edit('a draft');
    openChats.leave(draft);
    expect(await of(chats())).not.toBe(draft);
  });

  it('is found by its name where this browser does not know it, and by no part of it (C8)', async () => {
    found = [{ ...meta, id: uuid(9), title: 'work/a.ipynb 2' }, { ...meta, title: 'work/a.ipynb' }];
    const opened = of(chats());
    await new Promise(resolve => setTimeout(resolve));
    expect(sent('open')).toMatchObject([{ chat_id: CHAT }]);
    server().say({ type: 'chat', chat: meta, messages: [] });
    expect((await opened).chatId).toBe(CHAT);
    expect(renamed).toEqual([]);
  });

  it('is a new one where the one that is known was deleted (C8)', async () => {
    memory.noteChat('work/a.ipynb', CHAT);
    const opened = of(chats());
    server().say({ type: 'error', code: 'unknown_chat', message: 'gone', chat_id: CHAT });
    const controller = await opened;
    expect(controller.chatId).toBeNull();
    controller.ask({ text: 'one', attachments: [] });
    expect(sent('send')).toMatchObject([{ chat_id: null }]);
  });
});
