/**
 * Tell math from money, and from whatever else has dollars and backslashes.
 *
 * `tests/money_and_math.json` is the table of what is which; the notebook's cells keep to it too.
 */

/** A formula, where a text has one. */
export interface Formula {
  /** What stands in the text. */
  readonly raw: string;
  /** What is typeset: the same, without blank lines. */
  readonly source: string;
  /** Its TeX alone. */
  readonly tex: string;
}

/** A formula that is longer than this is none: typesetting it would hold the page. */
const LONGEST = 4000;

const DOLLARS = /^\$\$(?!\$)((?:\\[^]|[^\\$]|\$(?!\$))+)\$\$(?!\$)/;
const DOLLAR = /^\$(?![\s$])((?:\\[^]|[^\\$])+)\$(?!\$)/;
const ROUND = /^\\\(((?:(?!\\\))[^])+)\\\)/;
const SQUARE = /^\\\[((?:(?!\\\])[^])+)\\\](?!\()/; // else it is a link that was escaped
const ENVIRONMENT =
  /^\\begin\{((?:equation|align(?:ed|at)?|gather(?:ed)?|multline|eqnarray|flalign|[bBpvV]?(?:small)?matrix|cases|array|split|CD)\*?)\}[^]+?\\end\{\1\}/;
const BLANK_LINE = /\n[ \t]*(?=\n)/g;

/** What only formulas have. */
const MATH = /[\\^_=+*<>{}|]/;
const FUNCTION = /\b(?:sin|cos|tan|log|ln|exp|max|min|lim|mod|det|gcd)\b/g;
/** What may follow a formula without a blank: the 𝑛th, two 𝑥s. */
const ENDING = /^(?:th|st|nd|rd|s|d)\b/;

/**
 * Read the formula that a text begins with.
 *
 * @param before the character before it, or nothing.
 */
export function readFormula(text: string, before: string): Formula | null {
  const start = text.slice(0, LONGEST);
  return text[0] === '$' ? withDollars(start, before) : withBackslash(start);
}

/** Read the formula that stands on lines of its own at the begin of a text; it may have blank ones. */
export function readDisplay(text: string): Formula | null {
  const indent = /^ {0,3}(?=\$\$|\\\[|\\begin\{)/.exec(text);
  if (!indent) {
    return null;
  }
  const start = text.slice(indent[0].length, LONGEST);
  const found = DOLLARS.exec(start) ?? SQUARE.exec(start) ?? ENVIRONMENT.exec(start);
  const end = found && /^[ \t]*(?:\n|$)/.exec(start.slice(found[0].length));
  if (!found || !end || isProse(found[0], found[1])) {
    return null;
  }
  const made = formula(found[0], start[1] === 'b' ? found[0] : found[1]);
  return made && { ...made, raw: indent[0] + found[0] + end[0] };
}

function withDollars(text: string, before: string): Formula | null {
  if (/[A-Za-z0-9$]/.test(before)) {
    return null; // an amount, such as US$5 or 5$
  }
  const display = DOLLARS.exec(text);
  if (display) {
    return isProse(display[0], display[1]) ? null : paragraphs(display[0], display[1]);
  }
  const found = DOLLAR.exec(text);
  if (!found || /\s$/.test(found[1])) {
    return null;
  }
  const after = text.slice(found[0].length, found[0].length + 4);
  if (/^\d/.test(after) || (/^[A-Za-z]/.test(after) && !ENDING.test(after))) {
    return null; // the next amount, or the next variable of a shell
  }
  return isProse(found[0], found[1]) ? null : paragraphs(found[0], found[1]);
}

function withBackslash(text: string): Formula | null {
  const found = ROUND.exec(text) ?? SQUARE.exec(text);
  if (found) {
    return paragraphs(found[0], found[1]);
  }
  const environment = ENVIRONMENT.exec(text);
  return environment && paragraphs(environment[0], environment[0]);
}

/** Words between two dollars are what is said of two amounts. */
function isProse(raw: string, inside: string): boolean {
  if (raw[0] !== '$' || MATH.test(inside) || !/\s/.test(inside)) {
    return false;
  }
  return /\p{L}{2,}/u.test(inside.replace(FUNCTION, ''));
}

/** Formulas in a sentence end with its paragraph. */
function paragraphs(raw: string, inside: string): Formula | null {
  return /\n[ \t]*\n/.test(raw) ? null : formula(raw, inside);
}

function formula(raw: string, inside: string): Formula | null {
  const tex = inside.replace(BLANK_LINE, '').trim();
  return tex ? { raw, tex, source: raw.replace(BLANK_LINE, '') } : null;
}
