/**
 * What a cell would hold if what is proposed were accepted, while both the proposal and the cell
 * still change. Pure: no DOM, no notebook.
 */
import { ChangeSet } from '@codemirror/state';

import { chunksOf, editsBetween, textOf } from '../../text/edits';

export class Proposal {
  /** @param source what the cell held when it was asked for. */
  constructor(source: string) {
    this._base = source;
    this._source = source;
    this._code = source;
    this.text = source;
  }

  /** What the cell would hold. */
  text: string;

  /** What the cell holds now. */
  get source(): string {
    return this._source;
  }

  /** Take in the code as far as it has come. While it grows, what it has not come to yet stays. */
  propose(code: string, grows: boolean): void {
    this._code = grows ? withRest(this._base, code) : code;
    this._merge();
  }

  /** Take in what the cell holds now: what the person typed is no part of what is replaced. */
  sourceIs(source: string): void {
    this._source = source;
    this._merge();
  }

  /** Begin anew from what the cell holds now, and what it would hold. */
  settle(source: string, text: string): void {
    this._base = source;
    this._source = source;
    this._code = text;
    this.text = text;
  }

  private _merge(): void {
    if (this._source === this._base) {
      this.text = this._code;
      return;
    }
    const theirs = changes(this._base, this._source);
    const ours = changes(this._base, this._code);
    this.text = ours.map(theirs).apply(textOf(this._source)).toString();
  }

  /** What the cell held when the code was asked for, or when a part was accepted. */
  private _base: string;
  private _source: string;
  /** What the cell would hold, had nobody typed into it. */
  private _code: string;
}

function changes(before: string, after: string): ChangeSet {
  return ChangeSet.of(editsBetween(before, after), before.length, '\n');
}

/** Put the lines of a source that code has not come to yet behind it. */
function withRest(source: string, code: string): string {
  if (source.trim() === '') {
    return code;
  }
  const last = chunksOf(source, code).at(-1);
  const isOpen = last !== undefined && last.toA > last.fromA && last.toA > source.length;
  return isOpen ? `${code}\n${source.slice(last.fromA)}` : code;
}
