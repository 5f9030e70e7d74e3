// @vitest-environment jsdom
import { afterEach, describe, expect, it, vi } from 'vitest';

import { NotebookMemory } from '../../src/stores/notebookMemory';
import { read, readList, readMap, write, writeList } from '../../src/stores/storage';

const storage = (): Storage => localStorage;
const blocked = (): Storage => {
  throw new Error('blocked');
};

describe('what a browser keeps', () => {
  afterEach(() => {
    localStorage.clear();
    vi.restoreAllMocks();
  });

  it('is none where it is blocked, full or something else', () => {
    expect(read(blocked, 'a')).toBeNull();
    expect(() => write(blocked, 'a', 'x')).not.toThrow();
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new Error('full');
    });
    expect(() => writeList(storage, 'a', [1])).not.toThrow();
    vi.restoreAllMocks();
    for (const broken of ['', '{', '{"a": 1}', 'null', '7']) {
      localStorage.setItem('a', broken);
      expect(readList(storage, 'a')).toEqual([]);
      expect(readMap(storage, 'a').size).toBe(0);
    }
  });

  it('is taken without what is no entry', () => {
    writeList(storage, 'a', [1, null, ['b', 2]]);
    expect([...readMap(storage, 'a')]).toEqual([['b', 2]]);
    localStorage.setItem('jupyter-stop-chat:notebook-chats:s', '[1, ["a.ipynb", "chat"]]');
    expect(new NotebookMemory('s').chatOf('a.ipynb')).toBe('chat');
  });
});
