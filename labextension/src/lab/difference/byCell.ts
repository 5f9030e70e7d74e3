/** One thing for each of some cells. A copy of a notebook has cells of the same ids. */
import { OpenNotebook } from './cellHandle';

export class ByCell<T> {
  get(notebook: OpenNotebook, id: string): T | undefined {
    return this._all.get(notebook)?.get(id);
  }

  set(notebook: OpenNotebook, id: string, one: T): void {
    this._all.set(notebook, (this._all.get(notebook) ?? new Map<string, T>()).set(id, one));
  }

  delete(notebook: OpenNotebook, id: string): void {
    const cells = this._all.get(notebook);
    cells?.delete(id);
    if (cells?.size === 0) {
      this._all.delete(notebook);
    }
  }

  values(): T[] {
    return [...this._all.values()].flatMap(cells => [...cells.values()]);
  }

  private _all = new Map<OpenNotebook, Map<string, T>>();
}
