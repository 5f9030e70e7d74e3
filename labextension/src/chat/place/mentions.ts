/**
 * What a prompt names: `@cell`, `@file:notes.txt` and the like, and `/` commands while they are
 * typed. The words stay in the prompt as they are. Pure: no DOM, no JupyterLab.
 */

/** What can be named behind an `@`, besides files. */
export const NAMES = ['cell', 'selection', 'notebook', 'error', 'output', 'variables'] as const;

export type Name = (typeof NAMES)[number];

/** One thing that a prompt names. */
export type Mention = { readonly name: Name } | { readonly name: 'file'; readonly path: string };

/** A word that is being typed, which may become a mention or a command. */
export interface Word {
  /** What it begins with. */
  readonly sign: '@' | '/';
  /** What was typed behind the sign, up to the caret. */
  readonly typed: string;
  /** Where it begins and ends in the text, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
}

/** What a file's mention begins with, behind the `@`. */
export const FILE = 'file:';

/** What may stand before an `@` that names something: no e-mail address, no path. */
const BEFORE = '(?<=^|[\\s([{"\'“‘,;])';
const NAMED = new RegExp(`${BEFORE}@(${NAMES.join('|')})(?![\\w(-]|[.:/@]\\w)`, 'gm');
const FILED = new RegExp(`${BEFORE}@${FILE}(?:"([^"\\n]+)"|([^\\s"]+))`, 'gm');
const TYPED = new RegExp(`${BEFORE}@(${FILE}(?:"[^"\\n]*|[^\\s"]*)|\\w*)$`);
/** A sentence goes on or ends with these, and a path does not. */
const TRAILING = /[.,;:!?)\]}'”’]+$/;
/** A line of a fence: what opens or closes code. */
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
/** What follows a decorator that stands alone on its line. */
const DECORATED = /^\s*(?:@|def\s|class\s|async\s+def\s)/;

/** Find what a prompt names, each thing once, in their order; in code, nothing is named. */
export function mentionsIn(text: string): Mention[] {
  const words = withoutCode(text);
  const found: { at: number; mention: Mention }[] = [];
  for (const match of words.matchAll(NAMED)) {
    if (!isDecorator(words, match.index, match[0].length)) {
      found.push({ at: match.index, mention: { name: match[1] as Name } });
    }
  }
  for (const match of words.matchAll(FILED)) {
    const path = match[1] ?? match[2].replace(TRAILING, '');
    if (path) {
      found.push({ at: match.index, mention: { name: 'file', path } });
    }
  }
  const seen = new Set<string>();
  return found
    .sort((one, other) => one.at - other.at)
    .map(({ mention }) => mention)
    .filter(mention => !seen.has(written(mention)) && seen.add(written(mention)));
}

/** Return the word that is being typed at the caret; null if it can name nothing. */
export function wordAt(text: string, caret: number): Word | null {
  const before = text.slice(0, caret);
  const command = /^\/([\w-]*)$/.exec(before);
  if (command) {
    const end = caret + (/^[\w-]*/.exec(text.slice(caret))?.[0].length ?? 0);
    const isWhole = end === text.length || /\s/.test(text[end]);
    return isWhole ? { sign: '/', typed: command[1], start: 0, end } : null;
  }
  const match = TYPED.exec(before);
  if (!match || withoutCode(before)[match.index] !== '@') {
    return null;
  }
  const inQuotes = match[1].startsWith(`${FILE}"`);
  const isFile = match[1].startsWith(FILE);
  const rest = (inQuotes ? /^[^"\n]*"?/ : isFile ? /^[^\s"]*/ : /^\w*/).exec(text.slice(caret));
  const typed = match[1].replace(`${FILE}"`, FILE);
  return { sign: '@', typed, start: match.index, end: caret + (rest?.[0].length ?? 0) };
}

/** Write a mention as it stands in a prompt. */
export function written(mention: Mention): string {
  if (mention.name !== 'file') {
    return `@${mention.name}`;
  }
  const { path } = mention;
  const isPlain = !/[\s"]/.test(path) && !TRAILING.test(path);
  return `@${FILE}${isPlain ? path : `"${path}"`}`;
}

/** The longest name of a context, in UTF-16 code units; the server takes one that is a bit longer. */
const MAX_NAME = 260;

/**
 * Name a context by where it comes from, shortened behind that.
 *
 * @param origin what names it, as `@cell – ` or `@file:`.
 */
export function contextName(origin: string, about: string): string {
  const room = MAX_NAME - origin.length;
  return `${origin}${about.length > room ? `…${about.slice(1 - room)}` : about}`;
}

/** Where a context comes from that no mention brought: it tells where the person was. */
export const PLACE = 'place';

/**
 * Tell where a context comes from, by its name: two of one origin are the same, newer and older.
 */
export function originOf(name: string): string {
  const named = new RegExp(`^@(?:${NAMES.join('|')})(?= |$)`).exec(name);
  return named?.[0] ?? (name.startsWith(`@${FILE}`) ? name : PLACE);
}

/** Blank out code, fenced and inline, so that nothing in it is found. */
function withoutCode(text: string): string {
  let fence: string | null = null;
  return text
    .split('\n')
    .map(line => {
      const mark = FENCE.exec(line)?.[1];
      if (fence !== null) {
        fence = mark?.startsWith(fence) && line.trim() === mark ? null : fence;
        return blank(line);
      }
      if (mark) {
        fence = mark;
        return blank(line);
      }
      // also a span that is not closed: it is being typed
      return line.replace(/(`+)(?:.*?(?<!`)\1(?!`)|.*$)/g, blank);
    })
    .join('\n');
}

const blank = (text: string): string => '`'.repeat(text.length);

/** Tell whether a word stands alone on its line, before what it decorates. */
function isDecorator(text: string, at: number, length: number): boolean {
  const begins = text.lastIndexOf('\n', at - 1) + 1;
  const [line, ...below] = text.slice(begins).split('\n', 3);
  const isAlone = line.trim().length === length;
  return isAlone && below.length > 0 && DECORATED.test(below[0]);
}
