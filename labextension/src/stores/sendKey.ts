/** The key that sends a prompt; Enter with other keys begins a new line. */

export const SEND_KEYS = ['Enter', 'Ctrl+Enter', 'Shift+Enter'] as const;

export type SendKey = (typeof SEND_KEYS)[number];

/** The part of a key press that is looked at. */
export interface Press {
  readonly key: string;
  readonly keyCode: number;
  readonly isComposing: boolean;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/** Tell whether a press belongs to an input method that is composing. */
export function composes(press: Press): boolean {
  return press.isComposing || press.keyCode === 229; // what some browsers send for its last Enter
}

/** Tell whether a press sends. On a Mac, Command counts as Ctrl. */
export function sends(press: Press, sendKey: SendKey): boolean {
  if (press.key !== 'Enter' || press.altKey || composes(press)) {
    return false;
  }
  const ctrl = press.ctrlKey || press.metaKey;
  return press.shiftKey === (sendKey === 'Shift+Enter') && ctrl === (sendKey === 'Ctrl+Enter');
}
