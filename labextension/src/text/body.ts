/**
 * The text of one message on the page, as it grows.
 *
 * Settled blocks are rendered once. Only the open tail is rendered again, at most once an
 * animation frame, one render at a time, and never for more than a small part of the time.
 */
import { begunMark, closeOpen, definitions, labels } from './markdown';
import { growPlainText, PLAIN_CLASS } from './plainText';
import { Sections } from './sections';
import { Splitter } from './splitter';

export interface BodyOptions {
  /** Render Markdown into a new element; what still grows is rendered again soon. */
  render: (markdown: string, grows?: boolean) => Promise<HTMLElement>;
  /** Begin a code block that grows. */
  growCode: (info: string) => GrowingText;
  /** Call once, at the next animation frame that is at least `ms` milliseconds away. */
  schedule: (what: () => void, ms: number) => void;
  /** Milliseconds since some fixed moment. */
  now: () => number;
  /** Hear that the page has changed. */
  onRendered?: () => void;
}

/** Text that grows in an element of its own. */
export interface GrowingText {
  readonly node: HTMLElement;
  update(text: string): void;
  /** Tell whether a text goes on from what is shown. */
  goesOn(text: string): boolean;
}

/** After a render of the tail, so many times its cost are left to everything else. */
const SHARE = 8;
/** A render that costs less than this, in milliseconds, is followed by one in the next frame. */
const CHEAP = 2;
/** Others follow after this many milliseconds at least: text still flows at that pace. */
const PACE = 50;
/** And after this many at most, however long an open block has become. */
const SLOWEST = 1000;

/** So many blocks of a text that does not grow come onto the page at once. */
const BATCH = 16;

interface RenderedBlock {
  start: number;
  end: number;
  node: HTMLElement;
  /** Labels it refers to, whose definitions have not come yet. */
  unresolved: Set<string>;
}

export class LiveBody {
  constructor(
    readonly host: HTMLElement,
    private _options: BodyOptions
  ) {
    this._sections = new Sections(host);
  }

  /** How much of the text is on the page, in UTF-16 code units. */
  get shown(): number {
    return this._shown;
  }

  /** Resolves when the page shows all that it was given. */
  get settled(): Promise<void> {
    return this._running ?? Promise.resolve();
  }

  /**
   * Show a text.
   *
   * @param text all of it, from its begin.
   * @param done it will not grow any more.
   * @param cut it ends before its end: what it leaves open is closed, as while it grows.
   */
  update(text: string, done: boolean, cut = false): void {
    const open = cut || !done;
    if (this._disposed || (text === this._text && done === this._done && open === this._open)) {
      return;
    }
    if (text.length < this._text.length) {
      this._cut = true; // what is being rendered at this moment is too much
    }
    this._text = text;
    this._done = done;
    this._open = open;
    this._dirty = true;
    this._running ??= this._run().finally(() => {
      this._running = null;
    });
  }

  dispose(): void {
    this._disposed = true;
    this.host.replaceChildren();
  }

  private async _run(): Promise<void> {
    while (this._dirty && !this._disposed) {
      await new Promise<void>(resolve => this._options.schedule(resolve, this._done ? 0 : this._pause));
      if (this._disposed) {
        return;
      }
      this._dirty = false;
      this._tailCost = 0;
      try {
        await this._renderAll();
      } catch (error) {
        console.error('A part of a reply could not be rendered.', error);
      }
      // a settled block costs once, the tail each time: only that is to be made seldom
      const cost = this._tailCost;
      this._pause = cost < CHEAP ? 0 : Math.min(SLOWEST, Math.max(PACE, cost * SHARE));
    }
  }

  private async _renderAll(): Promise<void> {
    const text = this._text;
    const done = this._done;
    if (this._cut || !text.startsWith(this._split)) {
      this._cut = false;
      this._splitter = new Splitter();
    }
    this._split = text;
    this._splitter.advance(text);
    this._dropBlocksBut(this._splitter.settled, text);
    let fresh: RenderedBlock[] = [];
    for (const block of this._splitter.settled.slice(this._blocks.length)) {
      const source = text.slice(block.start, block.end);
      const unresolved = this._learn(source);
      const node = await this._options.render(this._withDefinitions(source));
      if (this._stale()) {
        return;
      }
      fresh.push({ ...block, node, unresolved });
      // an old text comes onto the page in large pieces: each has all of the page painted again
      if (!done || fresh.length === BATCH) {
        this._place(fresh, text);
        fresh = [];
      }
    }
    this._place(fresh, text);
    const began = this._options.now();
    await this._renderTail(text, done);
    this._tailCost = this._options.now() - began;
    if (this._stale()) {
      return;
    }
    if (done) {
      await this._resolve(text);
    }
    this._shown = text.length;
    this._options.onRendered?.();
  }

  /** What was just rendered is not wanted any more: the text was cut, or the body is gone. */
  private _stale(): boolean {
    return this._disposed || this._cut;
  }

  /** Keep the blocks that are still the same: a text that was cut has fewer of them. */
  private _dropBlocksBut(settled: readonly { start: number; end: number }[], text: string): void {
    const same = (index: number): boolean =>
      settled[index]?.end === this._blocks[index].end &&
      text.slice(settled[index].start, settled[index].end) === this._sources[index];
    let keep = this._checked === this._splitter ? this._blocks.length : 0;
    while (keep < this._blocks.length && same(keep)) {
      keep += 1;
    }
    this._checked = this._splitter;
    this._blocks.splice(keep).forEach(block => this._sections.remove(block.node));
    this._sources.length = keep;
  }

  private async _renderTail(text: string, done: boolean): Promise<void> {
    const start = this._splitter.tailStart;
    const source = text.slice(start);
    const fence = done ? null : this._splitter.openFence;
    if (fence) {
      const code = text.slice(fence.codeStart);
      const begun = begunMark(code, fence.mark[0]).length;
      const lines = code.slice(0, code.length - begun);
      if (lines.trim() === '') {
        this._code = null;
        this._setTail(null); // a box without code says nothing
      } else {
        this._appendCode(lines, start, fence.info);
      }
      return;
    }
    this._code = null;
    if (source.trim() === '') {
      this._setTail(null);
      return;
    }
    if (!done && this._tail?.classList.contains(PLAIN_CLASS)) {
      growPlainText(this._tail, source); // it was too dear, and has grown since
      return;
    }
    const wanted = this._withDefinitions(this._open ? closeOpen(source) : source);
    const key = `${done && source.includes('mermaid')} ${wanted}`;
    if (key === this._tailSource && this._tail) {
      return;
    }
    const node = await this._options.render(wanted, !done);
    if (!this._stale()) {
      node.classList.add('jp-StopChat-block');
      this._setTail(node);
      this._tailSource = key;
    }
  }

  /** The code of an open fence only grows. */
  private _appendCode(code: string, start: number, info: string): void {
    if (this._code?.start !== start || !this._code.text.goesOn(code)) {
      const node = document.createElement('div');
      node.className = 'jp-StopChat-block jp-StopChat-openCode jp-RenderedHTMLCommon';
      const text = this._options.growCode(info);
      node.append(text.node);
      this._code = { start, text };
      this._setTail(node);
    }
    this._code.text.update(code);
  }

  private _setTail(node: HTMLElement | null): void {
    this._tail?.remove();
    this._tail = node;
    this._tailSource = null;
    if (node) {
      this.host.append(node);
    }
  }

  private _place(fresh: readonly RenderedBlock[], text: string): void {
    if (!fresh.length) {
      return;
    }
    // a block that settles takes the tail's place at once: nothing jumps
    if (this._tail) {
      this._tail.remove();
      this._tail = null;
      this._tailSource = null;
      this._code = null;
    }
    const nodes = fresh.map(block => block.node);
    nodes.forEach(node => node.classList.add('jp-StopChat-block'));
    this._sections.append(nodes);
    this._blocks.push(...fresh);
    this._sources.push(...fresh.map(block => text.slice(block.start, block.end)));
    this._shown = Math.max(this._shown, fresh[fresh.length - 1].end);
  }

  /** Note a block's definitions; return the labels that it misses. */
  private _learn(source: string): Set<string> {
    for (const [label, line] of definitions(source)) {
      if (!this._definitions.has(label)) {
        this._definitions.set(label, line);
      }
    }
    return new Set([...labels(source)].filter(label => !this._definitions.has(label)));
  }

  private _withDefinitions(source: string): string {
    const own = definitions(source);
    const lines = [...labels(source)]
      .filter(label => !own.has(label) && this._definitions.has(label))
      .map(label => this._definitions.get(label));
    return lines.length ? `${source.trimEnd()}\n\n${lines.join('\n')}\n` : source;
  }

  /** Render those blocks again whose references were defined further below. */
  private async _resolve(text: string): Promise<void> {
    this._learn(text.slice(this._splitter.tailStart));
    for (const block of this._blocks) {
      if ([...block.unresolved].some(label => this._definitions.has(label))) {
        const source = text.slice(block.start, block.end);
        const node = await this._options.render(this._withDefinitions(source));
        if (this._disposed) {
          return;
        }
        node.classList.add('jp-StopChat-block');
        block.node.replaceWith(node);
        block.node = node;
        block.unresolved = new Set();
      }
    }
  }

  private _sections: Sections;
  private _text = '';
  private _done = false;
  private _open = true;
  private _dirty = false;
  private _cut = false;
  private _shown = 0;
  private _pause = 0;
  private _tailCost = 0;
  private _disposed = false;
  private _running: Promise<void> | null = null;
  private _splitter = new Splitter();
  /** What the splitter has seen. */
  private _split = '';
  private _checked: Splitter | null = this._splitter;
  private _blocks: RenderedBlock[] = [];
  private _sources: string[] = [];
  private _tail: HTMLElement | null = null;
  private _tailSource: string | null = null;
  private _code: { start: number; text: GrowingText } | null = null;
  private _definitions = new Map<string, string>();
}
