/** Which cells ask their person something, while a tool's run of them goes on in this page. */
import { NotebookPanel } from '@jupyterlab/notebook';

import { reveal, TYPED_INTO } from '../../difference/place';

export class AskedInputs {
  /** Note that a cell asks, or that it does no more. */
  note(cellId: string, panel: NotebookPanel, asks: boolean): void {
    if (asks !== this._asking.has(cellId)) {
      if (asks) {
        this._asking.set(cellId, panel);
      } else {
        this._asking.delete(cellId);
      }
      [...this._listeners].forEach(listener => listener());
    }
  }

  readonly asks = (cellId: string): boolean => this._asking.has(cellId);

  /** Go to where a cell asks. */
  async goTo(cellId: string, activate: (panel: NotebookPanel) => void): Promise<void> {
    const panel = this._asking.get(cellId);
    if (!panel || panel.isDisposed) {
      return;
    }
    activate(panel);
    await reveal(panel, cellId, false);
    const cell = panel.content.widgets.find(one => one.model.id === cellId);
    cell?.node.querySelector<HTMLElement>(FIELD)?.focus();
  }

  /** Call a listener when a cell begins to ask, or ends. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  private _asking = new Map<string, NotebookPanel>();
  private _listeners = new Set<() => void>();
}

/** JupyterLab's own field, which takes the focus as it comes. */
const FIELD = '.jp-Stdin-input';

/**
 * Do what puts a cell's question into the page; who is elsewhere stays there, or types in another
 * cell, and what they type is no answer.
 */
export function withoutFocus(panel: NotebookPanel, ask: () => void): void {
  const { activeElement: before } = document;
  const { node } = panel;
  if (!(before instanceof HTMLElement) || before === document.body || awaits(node, before)) {
    ask();
    return;
  }
  const giveBack = (event: FocusEvent): void => {
    // the field of a cell that is out of sight comes into the page a little later
    if (event.relatedTarget === before && (event.target as HTMLElement).matches(FIELD)) {
      before.focus({ preventScroll: true });
    }
  };
  const end = (): void => {
    node.removeEventListener('focusin', giveBack);
    node.removeEventListener('pointerdown', end, true);
  };
  node.addEventListener('focusin', giveBack);
  node.addEventListener('pointerdown', end, true); // the person goes there
  setTimeout(end, LATER);
  ask();
}

/** Tell whether who has the focus there looks at a notebook, or answers what it asks. */
const awaits = (notebook: HTMLElement, focused: HTMLElement): boolean =>
  notebook.contains(focused) && (!focused.matches(TYPED_INTO) || focused.matches(FIELD));

/** So long such a field may take to come, in milliseconds. */
const LATER = 1500;
