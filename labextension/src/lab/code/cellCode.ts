/** The code of a reply, as a cell or a file takes it. */

/** What a shell's language is called, and what runs it in a cell of IPython. */
const SHELLS: ReadonlyMap<string, string> = new Map([
  ['bash', '%%bash'],
  ['console', '%%bash'],
  ['sh', '%%sh'],
  ['shell', '%%bash'],
  ['shell-session', '%%bash'],
  ['zsh', '%%script zsh']
]);
/** What begins a command where a session in a shell is shown. */
const PROMPT = /^\s*\$ /;
/** What begins a further line of one. */
const FURTHER = /^\s*> ?/;
/** The end of a line that goes on in the next one, and what is closed in a later one. */
const JOINED = /(?:\\|\||&&)\s*$/;
const OPENS = /\b(?:for|while|until|if|case|select)\b|<<|[{(]\s*$/;

/**
 * Return code as a cell of a notebook runs it: what a shell is to run gets its magic in a notebook
 * of Python.
 *
 * @param kernel what the notebook's kernel speaks.
 */
export function cellCode(code: string, language: string, kernel: string): string {
  const magic = SHELLS.get(language.toLowerCase());
  if (!magic || !/python/i.test(kernel) || /^\s*[%!]/.test(code)) {
    return code;
  }
  return `${magic}\n${withoutPrompts(code)}`;
}

/** Of a session in a shell, what was typed: also the further lines of a command. */
function withoutPrompts(code: string): string {
  const typed: string[] = [];
  /** The command that the lines before are of; null behind what it wrote. */
  let command: string | null = null;
  for (const line of code.split('\n')) {
    const begins = PROMPT.test(line);
    const goesOn =
      command !== null && (JOINED.test(command) || (FURTHER.test(line) && isOpen(command)));
    if (begins || goesOn) {
      const words = line.replace(begins ? PROMPT : FURTHER, '');
      command = begins ? words : `${command}\n${words}`;
      typed.push(words);
    } else {
      command = null;
    }
  }
  return typed.length ? typed.join('\n') : code;
}

/** Tell whether a shell would ask for more of a command: it begins something, or quotes. */
function isOpen(command: string): boolean {
  const quotes = command.replace(/\\./g, '').match(/["']/g) ?? [];
  return OPENS.test(command) || quotes.length % 2 === 1;
}

/**
 * Return code as it goes into a file.
 *
 * One line goes into the line as it is. Several stand on lines of their own, as far to the right
 * as the caret.
 *
 * @param before what of its line stands before the caret.
 * @param after what of its line stands behind the caret.
 */
export function fileCode(code: string, before: string, after: string): string {
  if (!code.includes('\n')) {
    return code;
  }
  const indent = /^\s*/.exec(before)?.[0] ?? '';
  const lines = code.split('\n').map((line, at) => (at > 0 && line ? indent + line : line));
  const begin = before.trim() ? `\n${indent}` : '';
  const end = after.trim() ? `\n${indent}` : '';
  return begin + lines.join('\n') + end;
}
