import { describe, expect, it } from 'vitest';

import * as prompts from '../../src/chat/prompt';

const file = { name: 'a.py', text: 'x = 1' };
const stopped = { text: 'the prompt', attachments: [file] };

/** Everywhere that a text is. */
function places(state: prompts.PromptState, text: string): string[] {
  return [
    ...(state.draft.text === text ? ['input'] : []),
    ...(state.chip?.text === text ? ['chip'] : [])
  ];
}

describe('the prompt', () => {
  it('leaves the input when it is sent', () => {
    const typed = prompts.edit(prompts.emptyPrompt, 'hello');
    const [after, taken] = prompts.detachDraft(typed);
    expect(taken.text).toBe('hello');
    expect(places(after, 'hello')).toEqual([]);
  });

  it('is not sent when it is blank (L8)', () => {
    for (const blank of ['', ' ', '\n\t ', '\u00a0']) {
      expect(prompts.isSendable(prompts.edit(prompts.emptyPrompt, blank))).toBe(false);
    }
    expect(prompts.isSendable(prompts.edit(prompts.emptyPrompt, ' a '))).toBe(true);
  });

  it('comes back into an empty input, attachments too (L7)', () => {
    const state = prompts.giveBack(prompts.emptyPrompt, 'r', stopped);
    expect(state.draft).toEqual(stopped);
    expect(places(state, 'the prompt')).toEqual(['input']);
  });

  it('never comes back over a newer draft: it becomes a chip', () => {
    const typed = prompts.edit(prompts.emptyPrompt, 'newer');
    const state = prompts.giveBack(typed, 'r', stopped);
    expect(state.draft.text).toBe('newer');
    expect(places(state, 'the prompt')).toEqual(['chip']);
  });

  it('does not take the place of an attachment without text', () => {
    const state = prompts.giveBack(prompts.attach(prompts.emptyPrompt, [file]), 'r', stopped);
    expect(state.draft.attachments).toEqual([file]);
    expect(places(state, 'the prompt')).toEqual(['chip']);
  });

  it('comes back once, however often Stop is pressed (V7)', () => {
    let state = prompts.giveBack(prompts.emptyPrompt, 'r', stopped);
    state = prompts.giveBack(state, 'r', stopped);
    expect(places(state, 'the prompt')).toEqual(['input']);
    let other = prompts.giveBack(prompts.edit(prompts.emptyPrompt, 'newer'), 'r', stopped);
    other = prompts.giveBack(other, 'r', stopped);
    expect(places(other, 'the prompt')).toEqual(['chip']);
  });

  it('changes places with a newer draft at a click on the chip', () => {
    const typed = prompts.edit(prompts.emptyPrompt, 'newer');
    const state = prompts.swapChip(prompts.giveBack(typed, 'r', stopped));
    expect(places(state, 'the prompt')).toEqual(['input']);
    expect(places(state, 'newer')).toEqual(['chip']);
    expect(places(prompts.swapChip(state), 'newer')).toEqual(['input']);
  });

  it('leaves no chip behind when the input was empty', () => {
    let state = prompts.giveBack(prompts.edit(prompts.emptyPrompt, 'newer'), 'r', stopped);
    state = prompts.swapChip(prompts.edit(state, ''));
    expect(state.chip).toBeNull();
    expect(state.draft).toEqual(stopped);
    expect(prompts.swapChip(state)).toBe(state);
  });

  it('is taken back when the reply was complete after all', () => {
    const restored = prompts.giveBack(prompts.emptyPrompt, 'r', stopped);
    expect(places(prompts.withdraw(restored, 'r'), 'the prompt')).toEqual([]);
    const chip = prompts.giveBack(prompts.edit(prompts.emptyPrompt, 'newer'), 'r', stopped);
    expect(prompts.withdraw(chip, 'r')).toMatchObject({ chip: null, draft: { text: 'newer' } });
  });

  it('is not taken back once it was edited, nor for another reply', () => {
    const restored = prompts.giveBack(prompts.emptyPrompt, 'r', stopped);
    const edited = prompts.edit(restored, 'the prompt!');
    expect(prompts.withdraw(edited, 'r').draft.text).toBe('the prompt!');
    expect(prompts.withdraw(restored, 'other')).toBe(restored);
  });

  it('holds clicks back for 400 ms', () => {
    const state = prompts.guard(prompts.emptyPrompt, 1000);
    expect(prompts.mayClick(state, 1399)).toBe(false);
    expect(prompts.mayClick(state, 1400)).toBe(true);
  });
});

describe('several prompts that came back', () => {
  const three = (): prompts.PromptState =>
    ['a', 'b', 'c'].reduce(
      (state, key) => prompts.giveBack(state, key, { text: `prompt ${key}`, attachments: [] }),
      prompts.emptyPrompt
    );
  const all = (state: prompts.PromptState): string[] =>
    [state.draft.text, ...prompts.chips(state).map(one => one.text)].filter(Boolean);

  it('are each in exactly one place (L7)', () => {
    expect(all(three())).toEqual(['prompt a', 'prompt c', 'prompt b']);
    expect(prompts.giveBack(three(), 'b', stopped)).toEqual(three()); // Stop was pressed again
    expect(prompts.isNothing(prompts.detachDraft(three())[0])).toBe(false);
  });

  it('change places with the draft one by one, whichever is clicked', () => {
    let state = prompts.swapChip(three(), 'b');
    expect(all(state)).toEqual(['prompt b', 'prompt c', 'prompt a']);
    state = prompts.swapChip(state);
    expect(all(state)).toEqual(['prompt c', 'prompt b', 'prompt a']);
    [state] = prompts.detachDraft(state);
    expect(all(prompts.swapChip(state))).toEqual(['prompt b', 'prompt a']);
  });

  it('are let go of, or taken back, one by one', () => {
    expect(all(prompts.dropChip(three()))).toEqual(['prompt a', 'prompt b']);
    expect(all(prompts.dropChip(three(), 'b'))).toEqual(['prompt a', 'prompt c']);
    expect(all(prompts.withdraw(three(), 'b'))).toEqual(['prompt a', 'prompt c']);
    expect(prompts.dropChip(three(), 'other')).toEqual(three());
  });
});

describe('recalling', () => {
  const sent = ['first', 'second', 'second', ' ', 'third'];
  const walk = (...steps: (1 | -1)[]): string =>
    steps.reduce((state, step) => prompts.recall(state, sent, step), prompts.emptyPrompt).draft.text;

  it('U21: goes back prompt by prompt, without blanks and repetitions, and forth again', () => {
    expect(walk(1)).toBe('third');
    expect(walk(1, 1)).toBe('second');
    expect(walk(1, 1, 1)).toBe('first');
    expect(walk(1, 1, 1, 1)).toBe('first');
    expect(walk(1, 1, -1)).toBe('third');
    expect(walk(1, -1)).toBe('');
    expect(walk(-1)).toBe('');
  });

  it('U21: takes the place of nothing that was typed or attached', () => {
    const typed = prompts.edit(prompts.emptyPrompt, 'draft');
    expect(prompts.recall(typed, sent, 1)).toBe(typed);
    const attached = prompts.attach(prompts.emptyPrompt, [file]);
    expect(prompts.recall(attached, sent, 1)).toBe(attached);
    const edited = prompts.edit(prompts.recall(prompts.emptyPrompt, sent, 1), 'third, changed');
    expect(prompts.recall(edited, sent, 1)).toBe(edited);
  });
});
