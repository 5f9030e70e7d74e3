import { beforeEach, describe, expect, it } from 'vitest';

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
