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

/** Of a session in a shell, what was typed. */
function withoutPrompts(code: string): string {
  const lines = code.split('\n');
  const typed = lines.filter(line => PROMPT.test(line));
  return typed.length ? typed.map(line => line.replace(PROMPT, '')).join('\n') : code;
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
