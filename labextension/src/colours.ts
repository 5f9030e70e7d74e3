/** The colours of code, a stretch at a time, so that no length of it holds the page. */
import { IEditorLanguageRegistry, jupyterHighlightStyle } from '@jupyterlab/codemirror';
import { Parser, Tree, TreeFragment } from '@lezer/common';
import { highlightTree } from '@lezer/highlight';

/** Code that is longer than this, in UTF-16 code units, keeps one colour. */
const LONGEST = 100_000;
/** So long a piece of work may take before the page has its turn, in milliseconds. */
const SLICE = 8;
/** And so long all of it. */
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
    return new GrowingCode(parser, this._now);
  }

  private async _parserOf(name: string): Promise<Parser | null> {
    const language = name ? this._languages?.findBest(name) : null;
    const loaded = language ? await this._languages?.getLanguage(language) : null;
    return loaded?.support?.language.parser ?? null;
  }

  private async _parse(parser: Parser, text: string): Promise<Tree | null> {
    if (text.length > LONGEST) {
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

  constructor(parser: Promise<Parser | null>, private _now: () => number) {
    this.node = document.createElement('pre');
    this._code = this.node.appendChild(document.createElement('code'));
    this._code.append(this._rest);
    void parser.then(loaded => {
      this._parser = loaded;
      this.update(this._shown); // it may be all that comes for a while
    });
  }

  /** Show so much of the code; it begins with what was shown before. */
  update(code: string): void {
    this._shown = code;
    const whole = code.lastIndexOf('\n') + 1;
    if (this._parser && whole > this._coloured && code.length <= LONGEST) {
      this._colour(code.slice(0, whole));
    }
    const rest = code.slice(this._coloured);
    if (rest.startsWith(this._rest.data)) {
      this._rest.appendData(rest.slice(this._rest.length));
    } else {
      this._rest.data = rest;
    }
  }

  /** Tell whether a text goes on from what is shown. */
  goesOn(code: string): boolean {
    return code.startsWith(this._code.textContent ?? '');
  }

  private _colour(lines: string): void {
    const began = this._now();
    const fragments = this._tree ? TreeFragment.addTree(this._tree, [], true) : [];
    const parse = (this._parser as Parser).startParse(lines, fragments);
    let tree: Tree | null = null;
    while (!tree && this._now() - began < 2 * SLICE) {
      tree = parse.advance();
    }
    if (!tree) {
      this._parser = null; // too dear while it grows; it has its colours at its end
      return;
    }
    this._tree = tree;
    this._rest.before(...spans(tree, lines, this._coloured, lines.length));
    this._coloured = lines.length;
  }

  private _code: HTMLElement;
  private _rest = document.createTextNode('');
  private _shown = '';
  private _parser: Parser | null = null;
  private _tree: Tree | null = null;
  private _coloured = 0;
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
