/** The colours of code, a stretch at a time, so that no length of it holds the page. */
import { IEditorLanguageRegistry, jupyterHighlightStyle } from '@jupyterlab/codemirror';
import { Parser, PartialParse, Tree, TreeFragment } from '@lezer/common';
import { highlightTree } from '@lezer/highlight';

/** Code that is longer than this, in UTF-16 code units, keeps one colour. */
const LONGEST = 20_000;
/** And code of which one line is longer than this: made for no reader, and dear to lay out. */
const LONGEST_LINE = 5000;
/** So long a piece of work may take before the page has its turn, in milliseconds. */
const SLICE = 8;
/** And so long all of it; of code that grows, all that did not end within its piece. */
const PATIENCE = 2000;

/** What breaks a long piece of work up: the rest of it goes on in a later task. */
export type Breathe = () => Promise<void>;

export class Colours {
  constructor(
    private _languages: IEditorLanguageRegistry | null,
    private _breathe: Breathe,
    private _now: () => number
  ) {}

  /** Give all of a rendered text's code blocks their colours. */
  async colourAll(root: HTMLElement): Promise<void> {
    for (const code of root.querySelectorAll<HTMLElement>('pre > code[class*="language-"]')) {
      const parser = await this._parserOf(/language-(\S+)/.exec(code.className)?.[1] ?? '');
      const text = code.textContent ?? '';
      const tree = parser && (await this._parse(parser, text));
      if (tree) {
        code.replaceChildren(...spans(tree, text, 0, text.length));
      }
    }
  }

  /** Begin a code block that grows. */
  grow(info: string): GrowingCode {
    const parser = this._parserOf(/^\S*/.exec(info)?.[0] ?? '').catch(() => null);
    return new GrowingCode(parser, this._breathe, this._now);
  }

  private async _parserOf(name: string): Promise<Parser | null> {
    const language = name ? this._languages?.findBest(name) : null;
    const loaded = language ? await this._languages?.getLanguage(language) : null;
    return loaded?.support?.language.parser ?? null;
  }

  private async _parse(parser: Parser, text: string): Promise<Tree | null> {
    if (isTooLong(text)) {
      return null;
    }
    const parse = parser.startParse(text);
    for (let spent = 0; spent < PATIENCE; ) {
      const began = this._now();
      let tree: Tree | null = null;
      while (!tree && this._now() - began < SLICE) {
        tree = parse.advance();
      }
      if (tree) {
        return tree;
      }
      spent += this._now() - began;
      await this._breathe();
    }
    return null;
  }
}

/**
 * The code of a fence that is open. Each line has its colours once it is whole, and keeps them:
 * what was parsed is not parsed again.
 */
export class GrowingCode {
  readonly node: HTMLElement;

  constructor(
    parser: Promise<Parser | null>,
    private _breathe: Breathe,
    private _now: () => number
  ) {
    this.node = document.createElement('pre');
    this._code = this.node.appendChild(document.createElement('code'));
    this._code.append(this._rest);
    void parser.then(loaded => {
      this._parser = loaded;
      this._colour(); // it may be all that comes for a while
    });
  }

  /** Show so much of the code; it begins with what was shown before. */
  update(code: string): void {
    this._shown = code;
    this._colour();
    this._showRest();
  }

  /** Tell whether a text goes on from what is shown. */
  goesOn(code: string): boolean {
    return code.startsWith(this._code.textContent ?? '');
  }

  /** Give the lines that are whole their colours: now, or in later tasks when it takes longer. */
  private _colour(): void {
    const whole = this._shown.lastIndexOf('\n') + 1;
    if (this._busy || !this._parser || whole <= this._coloured) {
      return;
    }
    if (this._shown.length > LONGEST || isTooLong(this._shown.slice(this._coloured, whole))) {
      this._parser = null;
      return;
    }
    const lines = this._shown.slice(0, whole);
    const fragments = this._tree ? TreeFragment.addTree(this._tree, [], true) : [];
    const parse = this._parser.startParse(lines, fragments);
    const tree = this._advance(parse);
    if (tree) {
      this._paint(tree, lines);
    } else {
      void this._goOn(parse, lines);
    }
  }

  private async _goOn(parse: PartialParse, lines: string): Promise<void> {
    this._busy = true;
    let tree: Tree | null = null;
    while (!tree && this._spent < PATIENCE) {
      await this._breathe();
      tree = this._advance(parse);
    }
    this._busy = false;
    if (tree) {
      this._paint(tree, lines);
      this._colour(); // what has come since then
    } else {
      this._parser = null; // too dear while it grows; it has its colours at its end
    }
  }

  /** Parse for a short time; null when that was not enough. */
  private _advance(parse: PartialParse): Tree | null {
    const began = this._now();
    let spent = 0;
    let tree: Tree | null = null;
    while (!tree && spent < SLICE) {
      tree = parse.advance();
      spent = this._now() - began;
    }
    this._spent += tree ? 0 : spent;
    return tree;
  }

  private _paint(tree: Tree, lines: string): void {
    this._tree = tree;
    this._rest.before(...spans(tree, lines, this._coloured, lines.length));
    this._coloured = lines.length;
    this._showRest();
  }

  private _showRest(): void {
    const rest = this._shown.slice(this._coloured);
    if (rest.startsWith(this._rest.data)) {
      this._rest.appendData(rest.slice(this._rest.length));
    } else {
      this._rest.data = rest;
    }
  }

  private _code: HTMLElement;
  private _rest = document.createTextNode('');
  private _shown = '';
  private _parser: Parser | null = null;
  private _tree: Tree | null = null;
  private _coloured = 0;
  /** A parse goes on in later tasks. */
  private _busy = false;
  /** What parses have taken that did not end at once. */
  private _spent = 0;
}

function isTooLong(code: string): boolean {
  return code.length > LONGEST || code.split('\n').some(line => line.length > LONGEST_LINE);
}

/** The text between two places, its words in spans that name their kind. */
function spans(tree: Tree, text: string, from: number, to: number): Node[] {
  const made: Node[] = [];
  let at = from;
  const plain = (end: number): void => {
    if (end > at) {
      made.push(document.createTextNode(text.slice(at, end)));
      at = end;
    }
  };
  highlightTree(
    tree,
    jupyterHighlightStyle,
    (start, end, classes) => {
      plain(start);
      const span = document.createElement('span');
      span.className = classes;
      span.textContent = text.slice(at, end);
      at = end;
      made.push(span);
    },
    from,
    to
  );
  plain(to);
  return made;
}
