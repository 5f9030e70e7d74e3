// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { keepFocusFromLauncher } from '../../src/lab/launcherFocus';

const find = (selector: string): HTMLElement => document.querySelector(selector) as HTMLElement;

// once: it listens as long as there is the page
const panel = document.createElement('div');
keepFocusFromLauncher(panel, () => find('textarea').focus());

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = `
    <div class="jp-Launcher" tabindex="-1"></div>
    <div class="lm-Menu" tabindex="-1"></div>
    <div class="jp-Cell" tabindex="-1"></div>`;
  panel.innerHTML = '<textarea></textarea><input><button></button>';
  document.body.append(panel);
});

afterEach(() => {
  find('.jp-Cell').focus();
  vi.useRealTimers();
});

function openLauncher(): void {
  find('.jp-Launcher').focus();
  vi.advanceTimersByTime(0);
}

function press(target: string): void {
  find(target).dispatchEvent(new Event('pointerdown', { bubbles: true }));
}

function shortcut(init: KeyboardEventInit, isOne = true): void {
  const event = new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init });
  find('textarea').dispatchEvent(event);
  if (isOne) {
    event.preventDefault();
  }
}

describe('a Launcher that opens by itself (J1)', () => {
  it.each(['textarea', 'input', 'button'])('leaves the focus in the chat: in its %s', where => {
    find(where).focus();
    openLauncher();
    expect(document.activeElement).toBe(find(where));
  });

  it('leaves it there however late it opens, and a second time', () => {
    find('textarea').focus();
    for (const late of [60_000, 0]) {
      vi.advanceTimersByTime(late);
      openLauncher();
      expect(document.activeElement).toBe(find('textarea'));
    }
  });

  it('leaves it in the input where the field that had it is gone', () => {
    find('input').focus();
    find('input').addEventListener('blur', () => find('input').remove());
    openLauncher();
    expect(document.activeElement).toBe(find('textarea'));
  });

  it('leaves it in a menu that was opened from the chat', () => {
    find('button').focus();
    find('.lm-Menu').focus();
    press('.lm-Menu');
    openLauncher();
    expect(document.activeElement).toBe(find('.lm-Menu'));
  });

  it('does not count as a shortcut what only edits the text', () => {
    find('textarea').focus();
    shortcut({ key: 'v', ctrlKey: true }, false);
    openLauncher();
    expect(document.activeElement).toBe(find('textarea'));
  });
});

describe('a Launcher that was asked for', () => {
  it.each([
    ['a press elsewhere', () => press('.jp-Cell')],
    ['a shortcut', () => shortcut({ key: 'L', ctrlKey: true, shiftKey: true })],
    ['the focus elsewhere', () => find('.jp-Cell').focus()]
  ])('has the focus after %s', (_name, act) => {
    find('textarea').focus();
    act();
    openLauncher();
    expect(document.activeElement).toBe(find('.jp-Launcher'));
  });

  it('has it where the person never was in the chat', () => {
    openLauncher();
    expect(document.activeElement).toBe(find('.jp-Launcher'));
  });
});
