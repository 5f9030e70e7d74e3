// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { keepFocusAtStart } from '../../src/lab/startFocus';

const find = (selector: string): HTMLElement => document.querySelector(selector) as HTMLElement;

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML =
    '<div id="chat"><textarea></textarea></div><div class="jp-Launcher" tabindex="0"></div>';
  keepFocusAtStart(find('#chat'), () => find('textarea').focus());
});

afterEach(() => vi.useRealTimers());

function openLauncher(): void {
  find('.jp-Launcher').focus();
  vi.advanceTimersByTime(0);
}

function press(target: string, init: KeyboardEventInit): void {
  find(target).dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, ...init }));
}

describe('the caret at the start', () => {
  it('is in the chat, also when the Launcher opens after it', () => {
    expect(document.activeElement).toBe(find('textarea'));
    openLauncher();
    expect(document.activeElement).toBe(find('textarea'));
  });

  it('stays with whoever is typing: Esc is still the chat’s (J1)', () => {
    press('textarea', { key: 'Enter' });
    openLauncher();
    expect(document.activeElement).toBe(find('textarea'));
  });

  it.each([
    ['a key elsewhere', () => press('.jp-Launcher', { key: 'a' })],
    ['a shortcut', () => press('textarea', { key: 'L', ctrlKey: true, shiftKey: true })],
    ['a press elsewhere', () => find('.jp-Launcher').dispatchEvent(new Event('pointerdown', { bubbles: true }))],
    ['the end of the start', () => vi.advanceTimersByTime(10_000)]
  ])('is the person’s after %s', (_name, act) => {
    act();
    openLauncher();
    expect(document.activeElement).toBe(find('.jp-Launcher'));
  });
});
