/** A piece of a reply as plain text: it would take too long to format. */

/** What marks such a piece. */
export const PLAIN_CLASS = 'jp-StopChat-plain';

/** Show a text as it was written, below a word that says so. */
export function plainText(text: string, word: string): HTMLElement {
  const node = document.createElement('div');
  node.className = PLAIN_CLASS;
  const note = document.createElement('p');
  note.className = 'jp-StopChat-note';
  note.textContent = word;
  const words = document.createElement('div');
  words.textContent = text;
  node.append(note, words);
  return node;
}

/** Let such a piece grow. */
export function growPlainText(node: HTMLElement, text: string): void {
  const words = node.lastElementChild?.firstChild;
  if (words instanceof Text && text.startsWith(words.data)) {
    words.appendData(text.slice(words.length));
  } else if (node.lastElementChild) {
    node.lastElementChild.textContent = text;
  }
}
