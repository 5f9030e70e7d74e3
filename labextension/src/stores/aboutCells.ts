/** Which cell a question was about, for as long as the tab of the browser lives. */
import { readMap, writeList } from './storage';

/** A cell, and what it held when the question was asked. */
export interface AboutCell {
  readonly path: string;
  readonly cell: string;
  readonly source: string;
}

const KEY = 'jupyter-stop-chat:about-cells';
/** So many questions are remembered. */
const MOST = 100;
/** What a longer cell held is not remembered, in UTF-16 code units. */
const LONGEST = 50_000;

export class AboutCells {
  /** @param scope tells servers apart that have one address. */
  constructor(private _scope: string) {
    this._known = readMap(() => sessionStorage, `${KEY}:${_scope}`);
  }

  /** Note which cell a request is about. */
  note(requestId: string, about: AboutCell): void {
    this._known.set(requestId, about);
    const kept = [...this._known].slice(-MOST);
    this._known = new Map(kept);
    const fit = kept.filter(([, one]) => one.source.length <= LONGEST);
    writeList(() => sessionStorage, `${KEY}:${this._scope}`, fit);
  }

  /** Return the cell that the nearest of some requests is about. */
  find(requests: readonly string[]): AboutCell | null {
    const known = requests.find(id => this._known.has(id));
    return (known !== undefined && this._known.get(known)) || null;
  }

  private _known: Map<string, AboutCell>;
}
