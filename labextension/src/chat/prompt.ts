/**
 * Where the person's prompt is: in the input, on its way, or in the "Restore prompt" chip, and
 * always in exactly one of them. Pure: no DOM, no clock of its own.
 */
import { hasPicture } from './attachments';
import { Attachment } from '../wire/protocol';

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
  /** The prompt that came back last while the input held something newer. */
  readonly chip: Returned | null;
  /** Those that had come back before it, the newest first. */
  readonly others: readonly Returned[];
  /** How many prompts back the draft was recalled from; 0 when it was not, or was edited. */
  readonly recalled: number;
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
  others: [],
  recalled: 0,
  guardUntil: 0
};

const isEmpty = (prompt: Prompt): boolean =>
  prompt.text.trim() === '' && prompt.attachments.length === 0;

/** Tell whether there is something to send: text, and not only blanks, or a picture. */
export function isSendable(state: PromptState): boolean {
  return state.draft.text.trim() !== '' || hasPicture(state.draft.attachments);
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
  return { ...state, draft: { ...state.draft, text }, restored: null, recalled: 0 };
}

/** Change what is attached to the draft. */
export function attach(state: PromptState, attachments: readonly Attachment[]): PromptState {
  return { ...state, draft: { ...state.draft, attachments }, restored: null, recalled: 0 };
}

/** Remove the draft from the input, to send it. */
export function detachDraft(state: PromptState): [PromptState, Prompt] {
  return [{ ...state, draft: EMPTY, restored: null, recalled: 0 }, state.draft];
}

/**
 * Recall the words of an earlier prompt into an empty input, as a shell does.
 *
 * @param sent the words of the prompts, the oldest first.
 * @param step 1 for the one before, -1 for the one after it.
 */
export function recall(state: PromptState, sent: readonly string[], step: 1 | -1): PromptState {
  const words = sent.filter((text, at) => text.trim() !== '' && text !== sent[at + 1]);
  const recalled = state.recalled + step;
  const isFree = state.recalled > 0 || isEmpty(state.draft);
  if (!isFree || recalled < 0 || recalled > words.length) {
    return state;
  }
  const text = recalled === 0 ? '' : words[words.length - recalled];
  return { ...state, draft: { ...EMPTY, text }, restored: null, recalled };
}

/** Bring a prompt back: into the input if that is empty, else into the chip. */
export function giveBack(state: PromptState, key: string, prompt: Prompt): PromptState {
  if (isEmpty(prompt)) {
    return state;
  }
  if (state.restored?.key === key || chips(state).some(one => one.key === key)) {
    return state; // Stop was pressed again
  }
  const returned = { key, text: prompt.text, attachments: prompt.attachments };
  return isEmpty(state.draft)
    ? { ...state, draft: { text: prompt.text, attachments: prompt.attachments }, restored: returned }
    : withChips(state, [returned, ...chips(state)]);
}

/** The prompts that came back and are not in the input, the newest first. */
export function chips(state: PromptState): readonly Returned[] {
  return state.chip ? [state.chip, ...state.others] : state.others;
}

function withChips(state: PromptState, all: readonly Returned[]): PromptState {
  const [chip = null, ...others] = all;
  return { ...state, chip, others };
}

/** Withdraw a prompt from the input that was answered after all, unless the person has edited it. */
export function withdraw(state: PromptState, key: string): PromptState {
  if (state.restored?.key === key) {
    return { ...state, draft: EMPTY, restored: null };
  }
  return dropChip(state, key);
}

/** Put a chip's prompt into the input, the newest by default; a newer draft takes its place. */
export function swapChip(state: PromptState, key = state.chip?.key): PromptState {
  const returned = chips(state).find(one => one.key === key);
  if (!returned) {
    return state;
  }
  const { text, attachments } = returned;
  const draft = { key: `draft of ${returned.key}`, ...state.draft };
  const all = chips(state).flatMap(one =>
    one !== returned ? [one] : isEmpty(state.draft) ? [] : [draft]
  );
  const draftNow = { text, attachments };
  return { ...withChips(state, all), draft: draftNow, restored: returned, recalled: 0 };
}

/** Discard a chip's prompt, the newest by default. */
export function dropChip(state: PromptState, key = state.chip?.key): PromptState {
  const left = chips(state).filter(one => one.key !== key);
  return left.length < chips(state).length ? withChips(state, left) : state;
}

/** Hold clicks on the button back for a moment: it has just changed, or was just pressed. */
export function guard(state: PromptState, now: number): PromptState {
  return { ...state, guardUntil: now + GUARD };
}

/** Tell whether a click on the button may send now. */
export function mayClick(state: PromptState, now: number): boolean {
  return now >= state.guardUntil;
}
