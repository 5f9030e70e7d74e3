/** What a model is told of the cell that it writes. Pure: no DOM, no notebook. */
import { Cell, cellText } from '../../chat/attachments';

/** So many cells before and behind are told, and so much of each, in UTF-16 code units. */
const BEFORE = 4;
const BEHIND = 1;
const MOST_OF_ONE = 4000;

/**
 * Write down a cell and those around it, and what is wanted, as Markdown.
 *
 * @param cell returns a cell, if it is there; only what is told is asked for.
 */
export function aboutCell(
  cell: (at: number) => Cell | undefined,
  at: number,
  language: string
): string {
  const here = cell(at) ?? {};
  const own = cellText({ ...here, outputs: [] }, language);
  const wanted = own
    ? `The prompt asks for a change of cell ${at + 1} of a notebook, which runs ${language}.`
    : `The prompt asks for the code of cell ${at + 1} of a notebook, which runs ${language}; it is empty now.`;
  const shown = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, n) => from + n).flatMap(n => {
      const text = shortened(cellText((n >= 0 && cell(n)) || {}, language));
      return text ? [`Cell ${n + 1}:\n\n${text}`] : [];
    });
  const parts = [
    `${wanted} Answer with one fenced code block that holds all of the cell’s new code and nothing that belongs into other cells.`,
    ...(own ? [`The cell as it is:\n\n${cellText(here, language)}`] : []),
    ...titled('The cells before it:', shown(at - BEFORE, at)),
    ...titled('The cell behind it:', shown(at + 1, at + 1 + BEHIND))
  ];
  return parts.join('\n\n');
}

const titled = (title: string, texts: readonly string[]): string[] =>
  texts.length > 0 ? [title, ...texts] : [];

function shortened(text: string): string {
  return text.length > MOST_OF_ONE
    ? `${text.slice(0, MOST_OF_ONE).replace(/[\ud800-\udbff]$/, '')}\n…`
    : text;
}
