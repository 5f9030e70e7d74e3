/** One proposed change of a cell, until it is accepted or rejected. It changes nothing by itself. */
import { CellHandle } from './cellHandle';
import { chunksOf, editsBetween } from '../../text/edits';
import { Proposal } from './proposal';

export class Difference {
  /** @param base what the cell held when the change was asked for; by default what it holds. */
  constructor(
    readonly handle: CellHandle,
    base = handle.source
  ) {
    this._proposal = new Proposal(base);
    this._proposal.sourceIs(handle.source);
    this._end = handle.subscribe(() => {
      if (handle.cell && this._proposal.source !== handle.source) {
        this._proposal.sourceIs(handle.source);
        this._changed();
      }
    });
  }

  /** What the cell would hold. */
  get proposed(): string {
    return this._proposal.text;
  }

  /** More is still to come. */
  get grows(): boolean {
    return this._grows;
  }

  /** How many changes there are. */
  get count(): number {
    return this._count;
  }

  /** The change that a person looks at, from 0. */
  get current(): number {
    return Math.max(0, Math.min(this._current, this._count - 1));
  }

  /** Call a listener when it has changed. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** Tells a change apart, for who draws it. */
  readonly getSnapshot = (): number => this._version;

  /** Take in the code as far as it has come. */
  propose(code: string, grows: boolean): void {
    this._grows = grows;
    this._proposal.propose(code, grows);
    this._changed();
  }

  /** Look at the next change, or the one before. */
  step(by: 1 | -1): void {
    this._current = (this.current + by + this._count) % Math.max(1, this._count);
    this._changed();
  }

  /** Accept all of it; tell whether the cell could be changed. */
  accept(): boolean {
    return this._accept(this.proposed, this.proposed);
  }

  /** Accept the change that is looked at; tell whether the cell could be changed. */
  acceptCurrent(): boolean {
    const [source, proposed] = [this._proposal.source, this.proposed];
    return this._accept(withChunk(source, proposed, this.current, 'accept'), proposed);
  }

  /** Reject the change that is looked at. */
  rejectCurrent(): void {
    const { source } = this._proposal;
    this._proposal.settle(source, withChunk(source, this.proposed, this.current, 'reject'));
    this._changed();
  }

  dispose(): void {
    this._end();
    this._listeners.clear();
  }

  private _accept(source: string, proposed: string): boolean {
    const { handle } = this;
    // what it was reckoned from must be what is there: nothing unseen is written over
    if (!handle.cell || handle.isReadOnly || handle.source !== this._proposal.source) {
      return false;
    }
    const edits = editsBetween(handle.source, source);
    this._proposal.settle(source, proposed);
    handle.edit(edits);
    this._changed();
    return true;
  }

  private _changed(): void {
    const { source, text } = this._proposal;
    this._count = chunksOf(source, text).length;
    this._version += 1;
    [...this._listeners].forEach(listener => listener());
  }

  private _proposal: Proposal;
  private _grows = false;
  private _count = 0;
  private _current = 0;
  private _version = 0;
  private _listeners = new Set<() => void>();
  private _end: () => void;
}

/** Return a text with one of its changes: the source with it, or what is proposed without it. */
export function withChunk(
  source: string,
  proposed: string,
  at: number,
  what: 'accept' | 'reject'
): string {
  const chunk = chunksOf(source, proposed)[at];
  if (!chunk) {
    return what === 'accept' ? source : proposed;
  }
  // each with its lines' ends, also where the last line has none
  const [a, b] = [`${source}\n`, `${proposed}\n`];
  const merged =
    what === 'accept'
      ? a.slice(0, chunk.fromA) + b.slice(chunk.fromB, chunk.toB) + a.slice(chunk.toA)
      : b.slice(0, chunk.fromB) + a.slice(chunk.fromA, chunk.toA) + b.slice(chunk.toB);
  return merged.replace(/\n$/, '');
}
