/**
 * A difference drawn over a cell's own text: what would go is struck, what would come stands
 * below it. The text itself, and with it the document that is saved and shared, is not touched.
 */
import { highlightingFor, language } from '@codemirror/language';
import { Chunk } from '@codemirror/merge';
import { EditorState, Extension, Range, StateEffect, StateField, Text } from '@codemirror/state';
import { Decoration, DecorationSet, EditorView, WidgetType } from '@codemirror/view';
import { Tree } from '@lezer/common';
import { highlightTree } from '@lezer/highlight';

import { chunksOf } from '../../text/edits';

/** Code that is longer than this, in UTF-16 code units, keeps one colour. */
const LONGEST_COLOURED = 20_000;

/** What is to be drawn. */
export interface Shown {
  /** What the cell would hold. */
  readonly proposed: string;
  /** The change that the bar's buttons are for; -1: none, as it still grows. */
  readonly current: number;
}

/** Draw a difference, or none. */
export const showDifference = StateEffect.define<Shown | null>();

interface Drawn {
  readonly shown: Shown | null;
  readonly decorations: DecorationSet;
}

const NOTHING: Drawn = { shown: null, decorations: Decoration.none };

const field = StateField.define<Drawn>({
  create: () => NOTHING,
  update(drawn, transaction) {
    const effect = transaction.effects.find(one => one.is(showDifference));
    const shown = effect ? effect.value : drawn.shown;
    if (shown === null) {
      return NOTHING;
    }
    return effect || transaction.docChanged
      ? { shown, decorations: draw(transaction.state, shown) }
      : drawn;
  },
  provide: one => EditorView.decorations.from(one, ({ decorations }) => decorations)
});

/** What an editor needs to have differences drawn in it. */
export const drawing: Extension = field;

/** Tell whether an editor can have differences drawn in it. */
export function draws(state: EditorState): boolean {
  return state.field(field, false) !== undefined;
}

function draw(state: EditorState, { proposed, current }: Shown): DecorationSet {
  const parser = state.facet(language)?.parser;
  const tree = parser && proposed.length <= LONGEST_COLOURED ? parser.parse(proposed) : null;
  const ranges = chunksOf(state.sliceDoc(), proposed).flatMap((chunk, at) => {
    const isCurrent = at === current;
    const gone = removed(state.doc, chunk, isCurrent);
    if (chunk.toB === chunk.fromB) {
      return gone;
    }
    const pieces = piecesOf(state, proposed, chunk, tree);
    const widget = new NewLines(pieces, isCurrent);
    // where nothing goes, it stands above the line that follows it, if one does
    const isAbove = chunk.fromA === chunk.toA && chunk.fromA <= state.doc.length;
    const place = isAbove ? chunk.fromA : Math.min(chunk.endA, state.doc.length);
    const side = isAbove ? -1 : 1;
    return [...gone, Decoration.widget({ widget, block: true, side }).range(place)];
  });
  return Decoration.set(ranges, true);
}

/** Strike the lines that would go, and what in them is not in what comes. */
function removed(doc: Text, chunk: Chunk, isCurrent: boolean): Range<Decoration>[] {
  const found: Range<Decoration>[] = [];
  if (chunk.fromA === chunk.toA) {
    return found;
  }
  const name = 'jp-StopChat-goneLine' + (isCurrent ? ' jp-mod-current' : '');
  for (let at = chunk.fromA; at <= chunk.endA; ) {
    const line = doc.lineAt(at);
    // of an empty line that others come for, nothing is lost
    if (line.length > 0 || chunk.fromB === chunk.toB) {
      found.push(Decoration.line({ class: name }).range(line.from));
    }
    at = line.to + 1;
  }
  if (chunk.fromB < chunk.toB) {
    for (const { fromA, toA } of chunk.changes) {
      const [from, to] = [chunk.fromA + fromA, Math.min(chunk.fromA + toA, doc.length)];
      if (from < to) {
        found.push(Decoration.mark({ class: 'jp-StopChat-goneText' }).range(from, to));
      }
    }
  }
  return found;
}

/** Words of one look. */
interface Piece {
  readonly text: string;
  readonly className: string;
}

/** Cut the lines that come at each change of their colours, and at what in them is new. */
function piecesOf(state: EditorState, after: string, chunk: Chunk, tree: Tree | null): Piece[] {
  const [from, to] = [chunk.fromB, chunk.endB];
  const text = after.slice(from, to);
  const coloured: [number, number, string][] = [];
  if (tree) {
    const style = (tags: Parameters<typeof highlightingFor>[1]): string | null =>
      highlightingFor(state, tags);
    const put = (start: number, end: number, name: string): unknown =>
      coloured.push([Math.max(start, from) - from, Math.min(end, to) - from, name]);
    highlightTree(tree, { style }, put, from, to);
  }
  const isChange = state.sliceDoc(chunk.fromA, chunk.endA).trim() !== '';
  const fresh = isChange ? chunk.changes.map(({ fromB, toB }) => [fromB, toB] as const) : [];
  const cuts = new Set([0, text.length]);
  coloured.forEach(([start, end]) => cuts.add(start).add(end));
  fresh.forEach(([start, end]) => cuts.add(Math.min(start, text.length)).add(Math.min(end, text.length)));
  const sorted = [...cuts].sort((a, b) => a - b);
  let colour = 0;
  let change = 0;
  return sorted.slice(0, -1).map((start, n) => {
    while (colour < coloured.length && coloured[colour][1] <= start) {
      colour += 1;
    }
    while (change < fresh.length && fresh[change][1] <= start) {
      change += 1;
    }
    const within = (range: readonly (number | string)[] | undefined): boolean =>
      range !== undefined && Number(range[0]) <= start && start < Number(range[1]);
    const names = [
      within(coloured[colour]) ? coloured[colour][2] : '',
      within(fresh[change]) ? 'jp-StopChat-newText' : ''
    ];
    return { text: text.slice(start, sorted[n + 1]), className: names.filter(Boolean).join(' ') };
  });
}

/** The lines that come. */
class NewLines extends WidgetType {
  constructor(
    private _pieces: readonly Piece[],
    private _isCurrent: boolean
  ) {
    super();
  }

  eq(other: NewLines): boolean {
    return this._key === other._key;
  }

  toDOM(): HTMLElement {
    const node = document.createElement('div');
    node.className = 'jp-StopChat-newLines';
    node.classList.toggle('jp-mod-current', this._isCurrent);
    node.append(...this._pieces.map(inked));
    return node;
  }

  private get _key(): string {
    return JSON.stringify([this._isCurrent, this._pieces]);
  }
}

function inked({ text, className }: Piece): Node {
  if (className === '') {
    return document.createTextNode(text);
  }
  const span = document.createElement('span');
  span.className = className;
  span.textContent = text;
  return span;
}
