import { beforeEach, describe, expect, it, vi } from 'vitest';

import { InFront, InFrontOptions } from '../../../src/lab/code/inFront';

type Shown = { name: string; isVisible: boolean; isDisposed: boolean };

const one = (name: string, isVisible = true): Shown => ({ name, isVisible, isDisposed: false });
const chat = one('chat');
const notebook = one('a.ipynb');
const file = one('a.py');
const other = one('b.ipynb');

let current: Shown | null;
let usedLast: Shown | null;
let goTo: (widget: Shown) => void;
let inFront: InFront;

beforeEach(() => {
  [notebook, file, other].forEach(each => (each.isVisible = true));
  notebook.isDisposed = false;
  current = null;
  usedLast = notebook;
  const shell = {
    get currentWidget() {
      return current;
    },
    widgets: () => [chat, notebook, file, other].values(),
    currentChanged: {
      connect: (slot: (sender: null, change: { newValue: Shown }) => void) => {
        goTo = widget => slot(null, { newValue: (current = widget) });
      }
    }
  };
  inFront = new InFront({
    shell,
    notebooks: {
      has: (widget: Shown) => [notebook, other].includes(widget),
      get currentWidget() {
        return usedLast;
      }
    },
    editors: { has: (widget: Shown) => widget === file }
  } as unknown as InFrontOptions);
});

describe('the document in front', () => {
  it('is the one that has the tab in front (U1)', () => {
    goTo(file);
    expect(inFront.document).toBe(file);
    expect(inFront.notebook).toBe(notebook); // the one that was used last
    goTo(other);
    expect(inFront.document).toBe(other);
    expect(inFront.notebook).toBe(other);
  });

  it('is, where none is seen, the one that was used last, as long as it is open (U1)', () => {
    goTo(notebook);
    notebook.isVisible = file.isVisible = other.isVisible = false;
    current = chat;
    expect([inFront.document, inFront.last]).toEqual([null, notebook]);
    notebook.isDisposed = true;
    expect(inFront.last).toBeNull();
  });

  it('is beside a chat in a tab the one that was used last (U1)', () => {
    goTo(file);
    goTo(chat);
    expect(inFront.document).toBe(file);
    goTo(other);
    goTo(chat);
    expect(inFront.document).toBe(other);
    other.isVisible = false;
    expect(inFront.document).toBe(notebook);
  });

  it('is none when none can be seen, and the notebook that was used last remains (U1)', () => {
    goTo(chat);
    [notebook, file, other].forEach(each => (each.isVisible = false));
    expect(inFront.document).toBeNull();
    expect(inFront.notebook).toBe(notebook);
    notebook.isDisposed = true;
    expect(inFront.notebook).toBeNull();
    usedLast = null;
    expect(inFront.notebook).toBeNull();
  });
});

describe('the path that is told', () => {
  const contents = {
    driveName: (path: string) => (path.includes(':') ? path.split(':')[0] : ''),
    localPath: (path: string) => path.replace(/^.*:/, '')
  };
  it.each([
    ['a/b.ipynb', 'a/b.ipynb'],
    ['RTC:a/b.ipynb', 'a/b.ipynb'],
    ['s3:a/b.ipynb', null]
  ])('%s', (path, told) => {
    current = Object.assign(one('a.ipynb'), { context: { path } });
    usedLast = current;
    vi.spyOn(inFront, 'document', 'get').mockReturnValue(current as never);
    expect(inFront.placeIn(contents)).toBe(told);
  });

  it('is none where nothing is open', () => {
    usedLast = null;
    [notebook, file, other].forEach(each => (each.isVisible = false));
    expect(inFront.placeIn(contents)).toBeNull();
  });
});
