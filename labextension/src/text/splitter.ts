/**
 * Split growing Markdown into blocks that are settled and an open tail, in linear time.
 *
 * A settled block never changes, whatever comes after it, so it is rendered once. The blocks and
 * the tail put together are the text. Blocks end at blank lines, and around fences; they do not
 * end inside a fence, display math, an HTML element, or a list that goes on after the blank line.
 */

/** A settled block: where it is in the text, in UTF-16 code units. */
export interface Block {
  readonly start: number;
  readonly end: number;
}

/** An HTML element or formula that is longer than this is split after all. */
const MAX_HELD = 20000;

const FENCE = /^(\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)*)(`{3,}(?=[^`]*$)|~{3,})/;
const LIST = /^\s*(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
const HTML_OPEN = /^ {0,3}<([a-z][a-z0-9-]*)(?=[\s/>]|$)/i;
const VOID = /^(?:area|base|br|col|embed|hr|img|input|link|meta|p|source|track|wbr)$/i;
const RAW = /^(?:pre|script|style|textarea)$/i;

export class Splitter {
  /** The blocks that are settled. */
  readonly settled: Block[] = [];

  /** Where the open tail begins. */
  get tailStart(): number {
    return this._start;
  }

  /** The tail is a fence that is open: its first line, its mark, and where its code begins. */
  get openFence(): { info: string; mark: string; codeStart: number } | null {
    return this._fence && this._fence.own
      ? { info: this._fence.info, mark: this._fence.mark, codeStart: this._fence.codeStart }
      : null;
  }

  /** Split the whole text, which begins with what was given before. */
  advance(text: string): void {
    for (;;) {
      const end = text.indexOf('\n', this._scanned);
      if (end < 0) {
        break;
      }
      this._line(text.slice(this._scanned, end), this._scanned, end + 1);
      this._scanned = end + 1;
    }
    // a letter after a blank line can only begin something new
    if (this._blank && !this._isHeld() && /^\p{L}/u.test(text.slice(this._scanned, this._scanned + 2))) {
      this._settle(this._scanned);
    }
  }

  private _line(line: string, start: number, end: number): void {
    if (this._fence) {
      this._insideFence(line, end);
      return;
    }
    if (this._held) {
      this._insideHeld(line, start);
      return;
    }
    if (line.trim() === '') {
      this._blank = start > this._start || this._blank;
      return;
    }
    if (this._blank) {
      const indented = /^(?: {2}|\t)/.test(line);
      if (!(indented && start > this._start) && !(this._list && LIST.test(line))) {
        this._settle(start);
      }
      this._blank = false;
    }
    this._beginLine(line, start, end);
  }

  private _beginLine(line: string, start: number, end: number): void {
    const fence = FENCE.exec(line);
    const indent = /^\s*/.exec(line)?.[0].length ?? 0;
    if (fence && (this._list || LIST.test(line) || indent < 4)) {
      const own = !this._list && !LIST.test(line);
      if (own) {
        this._settle(start);
      }
      this._list = this._list || !own;
      const info = line.slice(fence[0].length).trim();
      this._fence = { mark: fence[2], own, info, codeStart: end };
      return;
    }
    if (LIST.test(line) && (indent < 4 || this._list)) {
      this._list = true;
    }
    if (this._startsMath(line, start)) {
      return;
    }
    const html = HTML_OPEN.exec(line);
    if (html && !VOID.test(html[1]) && indent < 4) {
      const tag = html[1].toLowerCase();
      this._held = { from: start, close: RAW.test(tag) ? `</${tag}` : null, tag, depth: 0 };
      this._insideHeld(line, start);
    } else if (/^ {0,3}<!--/.test(line)) {
      this._held = { from: start, close: '-->', tag: '', depth: 0 };
      this._insideHeld(line, start);
    }
  }

  private _startsMath(line: string, start: number): boolean {
    const trimmed = line.trim();
    for (const [open, close] of [
      ['$$', '$$'],
      ['\\[', '\\]']
    ]) {
      if (trimmed.startsWith(open)) {
        if (!trimmed.slice(2).includes(close)) {
          this._held = { from: start, close, tag: '', depth: 0 };
        }
        return true;
      }
    }
    return false;
  }

  private _insideFence(line: string, end: number): void {
    const fence = this._fence as Fence;
    const trimmed = line.trim();
    const closes =
      trimmed.length >= fence.mark.length &&
      trimmed === fence.mark[0].repeat(trimmed.length) &&
      (!fence.own || /^ {0,3}\S/.test(line));
    if (closes) {
      this._fence = null;
      if (fence.own) {
        this._settle(end);
      }
    }
  }

  private _insideHeld(line: string, start: number): void {
    const held = this._held as Held;
    if (held.close !== null) {
      if (line.toLowerCase().includes(held.close)) {
        this._held = null;
      }
    } else {
      for (const tag of line.matchAll(/<(\/?)([a-z][a-z0-9-]*)(?=[\s/>]|$)[^>]*?(\/?)(?:>|$)/gi)) {
        if (tag[2].toLowerCase() === held.tag) {
          held.depth += tag[1] ? -1 : tag[3] ? 0 : 1;
        }
      }
      if (held.depth <= 0) {
        this._held = null;
      }
    }
    if (this._held && start - held.from > MAX_HELD) {
      this._held = null;
    }
  }

  private _isHeld(): boolean {
    return this._fence !== null || this._held !== null;
  }

  private _settle(end: number): void {
    if (end > this._start) {
      this.settled.push({ start: this._start, end });
    }
    this._start = end;
    this._blank = false;
    this._list = false;
  }

  private _start = 0;
  private _scanned = 0;
  /** A blank line has come: the next line tells whether the block goes on. */
  private _blank = false;
  private _list = false;
  private _fence: Fence | null = null;
  private _held: Held | null = null;
}

interface Fence {
  mark: string;
  /** It is a block of its own, and not part of a list. */
  own: boolean;
  info: string;
  codeStart: number;
}

/** An HTML element or formula that blank lines do not end. */
interface Held {
  from: number;
  close: string | null;
  tag: string;
  depth: number;
}
