/** Make a piece of Markdown whole: what is open is closed, and math is written as JupyterLab reads it. */

/** A stretch of Markdown that is code, or is not. */
interface Stretch {
  readonly text: string;
  readonly code: boolean;
}

/** The code spans and fences of a text, in order, and what is between them. */
function* stretches(text: string): Generator<Stretch> {
  const code = /(^|\n)[ \t]*(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:\n[ \t]*\2[`~]*[ \t]*(?=\n|$)|$)|(?<![\\`])(`+)(?!`)(?:(?!\n[ \t]*\n)[\s\S])*?[^`]\3(?!`)/g;
  let at = 0;
  for (const match of text.matchAll(code)) {
    yield { text: text.slice(at, match.index), code: false };
    yield { text: match[0], code: true };
    at = match.index + match[0].length;
  }
  yield { text: text.slice(at), code: false };
}

/** Write `\( \)` as `$` and `\[ \]` as `$$`, outside code. */
export function dollarMath(text: string): string {
  if (!text.includes('\\(') && !text.includes('\\[')) {
    return text;
  }
  let made = '';
  for (const { text: part, code } of stretches(text)) {
    made += code
      ? part
      : part.replace(
          /\\\\|\\\(((?:(?!\n[ \t]*\n)[\s\S])*?)\\\)|\\\[([\s\S]*?)\\\]/g,
          (all: string, inline?: string, display?: string) =>
            inline !== undefined
              ? `$${inline.trim()}$`
              : display !== undefined
                ? `$$${display.replace(/\n[ \t]*(?=\n)/g, '')}$$`
                : all
        );
  }
  return made;
}

/** Close what a cut text leaves open, so that it reads well and breaks nothing below it. */
export function closeOpen(text: string): string {
  const fence = openFence(text);
  if (fence) {
    return `${text}${text.endsWith('\n') ? '' : '\n'}${fence}`;
  }
  const comment = text.lastIndexOf('<!--');
  if (comment >= 0 && !text.slice(comment).includes('-->')) {
    return `${text} -->`;
  }
  const cut = lastParagraph(text);
  return text.slice(0, cut) + closeInline(text.slice(cut));
}

function openFence(text: string): string | null {
  let open: string | null = null;
  for (const line of text.split('\n')) {
    const mark = /^\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(`{3,}|~{3,})(.*)$/.exec(line);
    if (!mark) {
      continue;
    }
    if (open === null) {
      if (mark[1][0] === '~' || !mark[2].includes('`')) {
        open = (/^\s*/.exec(line)?.[0] ?? '') + mark[1];
      }
    } else if (
      mark[1][0] === open.trim()[0] &&
      mark[1].length >= open.trim().length &&
      mark[2].trim() === ''
    ) {
      open = null;
    }
  }
  return open;
}

/** Emphasis does not reach over blank lines, list items or cells of other rows. */
function lastParagraph(text: string): number {
  let at = 0;
  for (const match of text.matchAll(/\n[ \t]*\n|\n(?=[ \t]*(?:[-*+]|\d{1,9}[.)])\s)|\n(?=[ \t]*(?:#|\|))/g)) {
    at = match.index + match[0].length;
  }
  return at;
}

function closeInline(text: string): string {
  let body = text;
  // a tag that was cut is text, and a link that was cut is its words
  body = body.replace(/<(?=\/?[a-z!][^<>]*$)/i, '&lt;');
  body = body.replace(/!?\[([^\[\]]*)\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+"[^"]*"?)?$/, '$1');
  const ticks = openTicks(body);
  if (ticks) {
    return body.endsWith(ticks) ? body.slice(0, -ticks.length) : body + ticks;
  }
  const open = openEmphasis(body);
  const last = open[open.length - 1];
  if (last && body.endsWith(last)) {
    body = body.slice(0, -last.length); // it was opened and holds nothing
    open.pop();
  }
  return open.length ? body.replace(/\s+$/, '') + open.reverse().join('') : body;
}

function openTicks(text: string): string | null {
  let open: string | null = null;
  for (const run of text.matchAll(/\\`|`+/g)) {
    if (run[0] === '\\`' && open === null) {
      continue;
    }
    const ticks = run[0].replace('\\', '');
    open = open === null ? ticks : open === ticks ? null : open;
  }
  return open;
}

function openEmphasis(text: string): string[] {
  const masked = (part: string): string => 'x'.repeat(part.length);
  const plain = text
    .replace(/`+[^`]*`+/g, masked)
    .replace(/\$\$?[^$]+\$\$?|\\\((?:(?!\\\))[^])*\\\)|\\\[(?:(?!\\\])[^])*\\\]/g, masked)
    .replace(/\]\((?:[^()\n]|\([^()\n]*\))*\)|<[^<>\n]*>|\b(?:https?:\/\/|www\.)\S+/g, masked)
    .replace(/^\s*[-*+]\s/, item => ' '.repeat(item.length));
  const open: string[] = [];
  for (const run of plain.matchAll(/\\.|\*{1,3}|_{1,3}|~~/g)) {
    const mark = run[0];
    if (mark[0] === '\\') {
      continue;
    }
    const before = plain[run.index - 1] ?? ' ';
    const after = plain[run.index + mark.length] ?? '';
    const opens = after === '' || !/\s/.test(after);
    const closes = !/\s/.test(before);
    if (mark[0] === '_' && /\w/.test(before) && /\w/.test(after)) {
      continue;
    }
    if (closes && open.includes(mark)) {
      open.splice(open.lastIndexOf(mark));
    } else if (opens) {
      open.push(mark);
    }
  }
  return open;
}

/** A reference's definition, such as `[1]: https://example.org`, and its label. */
export function definitions(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const match of text.matchAll(/^ {0,3}\[([^\[\]\n]+)\]:[ \t]*\S[^\n]*$/gm)) {
    const label = match[1].trim().toLowerCase();
    if (!found.has(label)) {
      found.set(label, match[0].trim());
    }
  }
  return found;
}

/** The labels that a text may refer to. */
export function labels(text: string): Set<string> {
  const found = new Set<string>();
  if (text.includes('[')) {
    for (const match of text.matchAll(/\[([^\[\]\n]+)\](?!\()/g)) {
      found.add(match[1].trim().toLowerCase());
    }
  }
  return found;
}
