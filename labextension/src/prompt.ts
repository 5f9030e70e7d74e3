/**
 * Where the person's prompt is: in the input, on its way, or in the "Restore prompt" chip, and
 * always in exactly one of them. Pure: no DOM, no clock of its own.
 */
import { Attachment } from './protocol';

export interface Prompt {
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

/** A prompt that came back, and the request that it had been sent with. */
export interface Returned extends Prompt {
  readonly key: string;
}

export interface PromptState {
  /** What the input holds. */
  readonly draft: Prompt;
  /** The prompt that Stop brought back into the input; null once it was edited or sent. */
  readonly restored: Returned | null;
  /** The prompt that Stop brought back while the input held something newer. */
  readonly chip: Returned | null;
  /** A click on the button sends nothing before this time, in milliseconds. */
  readonly guardUntil: number;
}

/** How long a click on the button is held back after it changed, in milliseconds. */
export const GUARD = 400;

const EMPTY: Prompt = { text: '', attachments: [] };

export const emptyPrompt: PromptState = {
  draft: EMPTY,
  restored: null,
  chip: null,
  guardUntil: 0
};

const isEmpty = (prompt: Prompt): boolean =>
  prompt.text.trim() === '' && prompt.attachments.length === 0;

/** Tell whether there is something to send: text, and not only blanks. */
export function isSendable(state: PromptState): boolean {
  return state.draft.text.trim() !== '';
}

/** Tell whether there is nothing that could be lost: no draft, and no prompt that came back. */
export function isNothing(state: PromptState): boolean {
  return isEmpty(state.draft) && state.chip === null;
}

/** Change the text of the draft. */
export function edit(state: PromptState, text: string): PromptState {
  if (text === state.draft.text) {
    return state;
  }
  return { ...state, draft: { ...state.draft, text }, restored: null };
}

/** Change what is attached to the draft. */
export function attach(state: PromptState, attachments: readonly Attachment[]): PromptState {
  return { ...state, draft: { ...state.draft, attachments }, restored: null };
}

/** Take the draft out of the input, to send it. */
export function take(state: PromptState): [PromptState, Prompt] {
  return [{ ...state, draft: EMPTY, restored: null }, state.draft];
}

/** Bring a prompt back: into the input if that is empty, else into the chip. */
export function giveBack(state: PromptState, key: string, prompt: Prompt): PromptState {
  if (isEmpty(prompt)) {
    return state;
  }
  if (state.restored?.key === key || state.chip?.key === key) {
    return state; // Stop was pressed again
  }
  const returned = { key, text: prompt.text, attachments: prompt.attachments };
  return isEmpty(state.draft)
    ? { ...state, draft: { text: prompt.text, attachments: prompt.attachments }, restored: returned }
    : { ...state, chip: returned };
}

/** Take a prompt back that was answered after all, unless the person has edited it. */
export function takeBack(state: PromptState, key: string): PromptState {
  if (state.restored?.key === key) {
    return { ...state, draft: EMPTY, restored: null };
  }
  return state.chip?.key === key ? { ...state, chip: null } : state;
}

/** Put the chip's prompt into the input; a newer draft changes places with it. */
export function swapChip(state: PromptState): PromptState {
  if (!state.chip) {
    return state;
  }
  const { key, ...prompt } = state.chip;
  return {
    ...state,
    draft: prompt,
    restored: { key, ...prompt },
    chip: isEmpty(state.draft) ? null : { key: `draft of ${key}`, ...state.draft }
  };
}

/** Let go of the chip's prompt. */
export function dropChip(state: PromptState): PromptState {
  return state.chip ? { ...state, chip: null } : state;
}

/** Hold clicks on the button back for a moment: it has just changed, or was just pressed. */
export function guard(state: PromptState, now: number): PromptState {
  return { ...state, guardUntil: now + GUARD };
}

/** Tell whether a click on the button may send now. */
export function mayClick(state: PromptState, now: number): boolean {
  return now >= state.guardUntil;
}
