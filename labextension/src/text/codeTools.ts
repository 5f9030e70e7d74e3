/** The buttons of a code block: copy it, or put it into the document that is looked at. */

/** The code of a block. */
export interface Code {
  readonly text: string;
  /** What its fence calls its language; empty where it does not. */
  readonly language: string;
}

/** What can be done with the code of a reply. */
export interface CodeActions {
  /** Put a text on the clipboard; tell whether that worked. */
  copy(text: string): Promise<boolean>;
  /** Put it at the caret of the file, or below the active cell of the notebook. */
  insert(code: Code): void;
  /**
   * Put it in the place of the cell that one of the requests was about, the nearest first; else
   * of what is selected in the file, or of the active cell.
   */
  replace(code: Code, requests: readonly string[]): void;
  /** Put it into a new cell at the end of the notebook. */
  append(code: Code): void;
}

export type CodeAction = 'wrap' | 'copy' | 'insert' | 'replace' | 'append';

const SHAPES: Record<CodeAction, string> = {
  wrap: 'M2 3h12v1.3H2V3Zm0 3.6h9.2a2.9 2.9 0 0 1 0 5.8H9.6v1.6L6.8 11.7l2.8-2.2v1.6h1.6a1.6 1.6 0 0 0 0-3.2H2V6.6Zm0 4.5h3v1.3H2v-1.3Z',
  copy: 'M5 2h8v9h-2v3H3V5h2V2Zm1.4 1.4V5H11v4.6h.6V3.4H6.4ZM4.4 6.4v6.2h5.2V6.4H4.4Z',
  insert: 'M2.5 2h11v5h-11V2Zm1.3 1.3v2.4h8.4V3.3H3.8ZM7.4 8.5h1.2v2h2v1.2h-2v2H7.4v-2h-2v-1.2h2v-2Z',
  replace: 'M4 2.5 1.5 5 4 7.5V5.7h8v2h1.3V4.4H4V2.5Zm8 6v1.8H4v-2H2.7v3.3H12v1.9l2.5-2.5L12 8.5Z',
  append: 'M3 2.5h7.5v1.3H3V2.5Zm0 3.2h7.5V7H3V5.7Zm0 3.2h4.5v1.3H3V8.9Zm7.4 0h1.2v2h2v1.2h-2v2h-1.2v-2h-2v-1.2h2v-2Z'
};

/**
 * Return a function that puts a head above each code block of a rendered piece of a reply: its
 * language, and the buttons.
 *
 * @param wraps tells whether long lines are wrapped now.
 */
export function codeToolsWith(
  names: Record<CodeAction, string>,
  wraps: () => boolean
): (root: HTMLElement) => void {
  const tools = document.createElement('div');
  tools.className = 'jp-StopChat-codeTools';
  for (const [action, shape] of Object.entries(SHAPES)) {
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.action = action;
    button.title = names[action as CodeAction];
    button.setAttribute('aria-label', button.title);
    button.innerHTML = `<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d="${shape}"/></svg>`;
    tools.append(button);
  }
  return root => {
    for (const code of root.querySelectorAll('pre > code')) {
      const pre = code.parentElement as HTMLElement;
      if (!root.contains(code) || !isAllOf(pre, code)) {
        continue; // HTML of the reply's own: which of it a button is for, nobody could tell
      }
      flatten(code);
      if (!code.textContent?.trim()) {
        pre.remove(); // a reply that broke off where its code was to begin: there is nothing in it
        continue;
      }
      const place = document.createElement('div');
      pre.replaceWith(place);
      const frame = codeFrame(pre, languageOf(code));
      frame.firstElementChild?.append(tools.cloneNode(true));
      place.replaceWith(frame);
      pre.tabIndex = 0; // what is wider than the panel is scrolled by keys as well
    }
    showWrapping(root, wraps());
  };
}

/** Tell whether a block holds nothing but this code. */
function isAllOf(pre: Element, code: Element): boolean {
  return [...pre.childNodes].every(node => node === code || node.textContent?.trim() === '');
}

/** Make plain words of code, so that what is seen of it is what the buttons take. */
function flatten(code: Element): void {
  if (code.firstElementChild) {
    code.querySelectorAll('br').forEach(line => line.replaceWith('\n'));
    code.textContent = code.textContent ?? '';
  }
}

/** Put a head above code that names its language, as a label: it is no part of the text. */
export function codeFrame(pre: HTMLElement, language: string): HTMLElement {
  const frame = document.createElement('div');
  frame.className = 'jp-StopChat-code';
  const head = document.createElement('div');
  head.className = 'jp-StopChat-codeHead';
  head.dataset.language = language;
  frame.append(head, pre);
  return frame;
}

/** Show in each code block's switch whether long lines are wrapped. */
export function showWrapping(root: HTMLElement, wraps: boolean): void {
  for (const button of root.querySelectorAll('[data-action=wrap]')) {
    button.setAttribute('aria-pressed', String(wraps));
  }
}

export interface CodeClick {
  readonly action: CodeAction;
  readonly code: Code;
  /** The message that the code stands in; empty outside of messages. */
  readonly messageId: string;
}

/** Tell which button of which code a click was for. */
export function codeClick(target: EventTarget | null): CodeClick | null {
  const button = target instanceof Element ? target.closest('.jp-StopChat-codeTools button') : null;
  const code = button?.closest('.jp-StopChat-code')?.querySelector('pre > code');
  if (!(button instanceof HTMLElement) || !code) {
    return null;
  }
  const text = (code.textContent ?? '').replace(/\n$/, '');
  const message = button.closest<HTMLElement>('[data-message-id]');
  return {
    action: button.dataset.action as CodeAction,
    code: { text, language: languageOf(code) },
    messageId: message?.dataset.messageId ?? ''
  };
}

/** Return what a block's fence calls its language. */
function languageOf(code: Element): string {
  return /(?:^| )language-(\S+)/.exec(code.className)?.[1] ?? '';
}
