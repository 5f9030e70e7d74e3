/** Make a piece of Markdown whole: what is open is closed. */

/** Close what a cut text leaves open, so that it reads well and breaks nothing below it. */
export function closeOpen(text: string): string {
  const fence = openFence(text);
  if (fence) {
    text = text.slice(0, text.length - begunMark(text, fence.trim()[0]).length);
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

/** The closing mark of a fence that has not come whole: it is no code. */
export function begunMark(text: string, sign: string): string {
  const last = text.slice(text.lastIndexOf('\n') + 1);
  const mark = last.trim();
  return mark !== '' && mark === sign.repeat(mark.length) ? last : '';
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
    .replace(/\$\$?[^$]+\$\$?|\\\((?:(?!\\\))[^]){0,4000}\\\)|\\\[(?:(?!\\\])[^]){0,4000}\\\]/g, masked)
    .replace(/\]\((?:[^()\n]|\([^()\n]*\))*\)|<[^<>\n]*>|\b(?:https?:\/\/|www\.)\S+/g, masked)
    .replace(/^\s*[-*+]\s/, item => ' '.repeat(item.length));
  const open: string[] = [];
  const counts = new Map<string, number>();
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
    if (closes && counts.get(mark)) {
      for (let last: string | undefined; last !== mark; ) {
        last = open.pop() ?? mark;
        counts.set(last, (counts.get(last) as number) - 1);
      }
    } else if (opens) {
      open.push(mark);
      counts.set(mark, (counts.get(mark) ?? 0) + 1);
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
