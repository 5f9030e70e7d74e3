// @vitest-environment jsdom
/** The editor of a prompt that was sent, while other pages and the keyboard do what they like. */
import { nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { act } from 'react-dom/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PanelContext, PanelTools } from '../../src/panel/context';
import { PromptEditor } from '../../src/panel/messages/promptEditor';
import { Attachment } from '../../src/wire/protocol';

const find = (selector: string): HTMLElement => document.querySelector(selector) as HTMLElement;
const named = (name: string): Attachment => ({ name, text: `of ${name}` });
const [A, B, C] = ['a', 'b', 'c'].map(named);
const SETTINGS = { sendKey: 'Enter' };
const TOOLS = {
  trans: nullTranslator.load(''),
  settings: { getSnapshot: () => SETTINGS, subscribe: () => () => undefined }
} as unknown as PanelTools;

let root: Root;
let onEnd: ReturnType<typeof vi.fn>;
let onLost: ReturnType<typeof vi.fn>;

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('ResizeObserver', class { observe = vi.fn(); disconnect = vi.fn(); });
  document.body.innerHTML = '<textarea class="jp-StopChat-input"></textarea><div id="root"></div>';
  root = createRoot(find('#root'));
  onEnd = vi.fn();
  onLost = vi.fn();
});

afterEach(() => {
  act(() => root.unmount());
  vi.unstubAllGlobals();
});

function show(attachments: readonly Attachment[]): void {
  act(() =>
    root.render(
      <PanelContext.Provider value={TOOLS}>
        <PromptEditor
          text="words"
          save="Save"
          attachments={attachments}
          onEnd={onEnd}
          onLost={onLost}
        />
      </PanelContext.Provider>
    )
  );
}

function type(words: string): void {
  const box = find('.jp-StopChat-editorInput') as HTMLTextAreaElement;
  const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value') ?? {};
  act(() => {
    set?.call(box, words);
    box.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

const click = (selector: string): void => act(() => find(selector).click());
const SAVE = '.jp-StopChat-editorRow button:last-child';
const shown = (): (string | null)[] =>
  [...document.querySelectorAll('.jp-StopChat-attachmentName')].map(one => one.textContent);

describe('the editor of a prompt', () => {
  it('outlives that another page removes an attachment, and keeps the right ones', () => {
    show([A, B, C]);
    click('[aria-label="Remove b"]');
    show([B, C]);
    expect(shown()).toEqual(['c']);
    click(SAVE);
    expect(onEnd).toHaveBeenLastCalledWith('words', [1]);
    show([C]);
    click(SAVE);
    expect(onEnd).toHaveBeenLastCalledWith('words', undefined);
  });

  it.each(['.jp-StopChat-editorRow button', '[aria-label="Remove a"]', '.jp-StopChat-editorInput'])(
    'ends at Esc wherever the focus is in it: %s',
    selector => {
      show([A]);
      const event = new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true });
      act(() => {
        find(selector).dispatchEvent(event);
      });
      expect(onEnd).toHaveBeenCalledWith(null, undefined);
      expect(event.defaultPrevented).toBe(true);
    }
  );

  it('hands over what was typed when it goes away unasked,', () => {
    show([A, B]);
    type('changed');
    click('[aria-label="Remove a"]');
    act(() => root.render(null));
    expect(onLost).toHaveBeenCalledWith({ text: 'changed', attachments: [B] });
  });

  it.each([
    ['was ended', () => (type('changed'), click(SAVE))],
    ['holds what was sent', () => undefined]
  ])('hands over nothing where it %s', (_why, act_) => {
    onEnd.mockReturnValue(undefined);
    show([A]);
    act_();
    act(() => root.render(null));
    expect(onLost).not.toHaveBeenCalled();
  });
});
