/** Markdown to HTML: a string in, a string out, with nothing loaded, drawn or run on the way. */
import { Marked, Token, Tokens } from 'marked';

import { readDisplay, readFormula, Formula } from './math/math';

/** Formulas are typeset later, from elements of this class and nowhere else. */
export const MATH_CLASS = 'jp-StopChat-math';

/** A page that is given more elements at once than these stands still. */
const MOST_TAGS = 8000;

const escaped: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replace(/[&<>"]/g, sign => escaped[sign]);

const span = (token: Tokens.Generic): string =>
  `<span class="${MATH_CLASS}">${escape((token.formula as Formula).source)}</span>`;

const marked = new Marked({
  gfm: true,
  extensions: [
    {
      name: 'display',
      level: 'block',
      start: source => /(?<=\n) {0,3}(?:\$\$|\\\[|\\begin\{)/.exec(source)?.index,
      tokenizer: source => {
        const formula = readDisplay(source);
        return formula ? { type: 'display', raw: formula.raw, formula } : undefined;
      },
      renderer: token => `<p>${span(token)}</p>\n`
    },
    {
      name: 'formula',
      level: 'inline',
      start: source => /\$|\\[([b]/.exec(source)?.index,
      tokenizer(source, tokens) {
        if (source[0] !== '$' && source[0] !== '\\') {
          return undefined;
        }
        const formula = readFormula(source, lastCharacter(tokens));
        return formula ? { type: 'formula', raw: formula.raw, formula } : undefined;
      },
      renderer: span
    }
  ],
  hooks: { emStrongMask: maskFormulas },
  renderer: {
    code({ raw, text, lang }) {
      // a fence that is indented takes so much from each line; marked knows that of backticks only
      const indent = /^ {1,3}(?=~~~)/.exec(raw)?.[0].length;
      const code = indent ? text.replace(new RegExp(`^ {1,${indent}}`, 'gm'), '') : text;
      const language = /^\S+/.exec(lang ?? '')?.[0];
      const named = language ? ` class="language-${escape(language)}"` : '';
      return `<pre><code${named}>${escape(code)}</code></pre>\n`;
    }
  }
});

/** Turn Markdown into HTML that is not sanitized yet; null is too much for a page. */
export function parse(markdown: string): string | null {
  try {
    const html = marked.parse(markdown, { async: false });
    return countTags(html) > MOST_TAGS ? null : html;
  } catch {
    return null; // nested so deep that there was no room left
  }
}

/** The formulas of a text, as they are found in it. */
export function formulasOf(markdown: string): string[] {
  const found: string[] = [];
  void marked.walkTokens(marked.lexer(markdown), (token: Token) => {
    if (token.type === 'formula' || token.type === 'display') {
      found.push((token.formula as Formula).tex);
    }
  });
  return found;
}

function lastCharacter(tokens: readonly Token[]): string {
  return tokens[tokens.length - 1]?.raw.slice(-1) ?? '';
}

/** Stars in a formula are no emphasis of what is around it. */
function maskFormulas(source: string): string {
  let made = '';
  let at = 0;
  for (let next = source.indexOf('$'); next >= 0; next = source.indexOf('$', Math.max(at, next + 1))) {
    const formula = readFormula(source.slice(next, next + 5000), source[next - 1] ?? '');
    if (formula) {
      made += source.slice(at, next) + 'a'.repeat(formula.raw.length);
      at = next + formula.raw.length;
    }
  }
  return made + source.slice(at);
}

function countTags(html: string): number {
  let count = 0;
  for (let at = html.indexOf('<'); at >= 0; at = html.indexOf('<', at + 1)) {
    count += 1;
  }
  return count;
}
