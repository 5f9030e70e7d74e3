/** The first block of code in a reply that may still grow. Pure: no DOM. */
import { Code } from './codeTools';

/** A block as far as it has come. */
export interface FirstCode extends Code {
  /** The fence has ended: what comes later is no part of it. */
  readonly whole: boolean;
}

const OPENS = /^((?:\s|>|(?:[-*+]|\d{1,9}[.)])\s)*)(`{3,}(?=[^`]*$)|~{3,})\s*\{?\.?([^\s`{},]*)/;

/**
 * Return the code of the first fence; null where there is none yet.
 *
 * @param done the reply will not grow any more.
 */
export function firstCode(text: string, done: boolean): FirstCode | null {
  const lines = text.split(/\r\n?|\n/); // a cell knows one end of a line
  const at = lines.findIndex((line, n) => OPENS.test(line) && (done || n < lines.length - 1));
  if (at < 0) {
    return null;
  }
  const [, indent, mark, language] = OPENS.exec(lines[at]) as RegExpExecArray;
  const closes = new RegExp(`^[\\s>]*${mark[0]}{${mark.length},}\\s*$`);
  const inner = lines.slice(at + 1);
  const end = inner.findIndex(line => closes.test(line));
  const isClosed = end >= 0 && (done || end < inner.length - 1 || endsWith(inner[end], mark));
  const code = end < 0 ? inner : inner.slice(0, end);
  if (end < 0 && !done && begins(code.at(-1) ?? '', mark)) {
    code.pop(); // it may become the end of the fence
  }
  const plain = code.map(line => withoutIndent(line, indent));
  return { text: plain.join('\n').replace(/\n+$/, ''), language, whole: isClosed || done };
}

const endsWith = (line: string, mark: string): boolean => line.trimEnd().endsWith(mark);

/** Tell whether a line that still grows is the beginning of a fence's end. */
const begins = (line: string, mark: string): boolean =>
  line.trim() !== '' && mark.startsWith(line.replace(/^[\s>]+/, ''));

/** Take off what stands before the fence: the code is no part of the list or the quotation. */
function withoutIndent(line: string, indent: string): string {
  if (/^[\s>]*>/.test(indent)) {
    return line.replace(/^\s*> ?/, '');
  }
  let at = 0;
  while (at < indent.length && (line[at] === ' ' || line[at] === '\t')) {
    at += 1;
  }
  return line.slice(at);
}
