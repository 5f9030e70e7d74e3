// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { messageKeys } from '../../src/panel/messages/messageKeys';

const find = (selector: string): HTMLElement => document.querySelector(selector) as HTMLElement;
const article = (id: string, inside: string): string =>
  `<article class="jp-StopChat-message" id="${id}" tabindex="0">${inside}</article>`;
let end: () => void;

beforeEach(() => {
  Element.prototype.scrollIntoView = () => undefined;
  document.body.innerHTML = `<div id="list" tabindex="0">
    ${article('prompt', '<button id="edit">Edit</button>')}
    ${article('reply', '<a id="link" href="#x">x</a><pre id="code" tabindex="0"></pre><button id="off" disabled></button>')}
    <button id="example"></button></div>`;
  end = messageKeys(find('#list'));
});

afterEach(() => end());

function press(key: string, init: KeyboardEventInit = {}): boolean {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init });
  (document.activeElement as HTMLElement).dispatchEvent(event);
  return event.defaultPrevented;
}

const path = (...keys: string[]): (string | undefined)[] =>
  keys.map(key => {
    press(key);
    return document.activeElement?.id;
  });

describe('the keys in the list of messages', () => {
  it('have one stop of Tab a message (U33)', () => {
    const stops = [...document.querySelectorAll<HTMLElement>('[id]')].filter(
      one => one.tabIndex === 0
    );
    expect(stops.map(one => one.id)).toEqual(['list', 'prompt', 'reply', 'example']);
  });

  it('take out of that order what comes later, but no form (U33)', async () => {
    find('#reply').insertAdjacentHTML('beforeend', '<p><button id="late"></button></p>');
    find('#prompt').innerHTML = '<div class="jp-StopChat-editor"><textarea></textarea><button></button></div>';
    find('#list').insertAdjacentHTML('beforeend', article('next', '<summary tabindex="0"></summary>'));
    await Promise.resolve();
    expect(find('#late').tabIndex).toBe(-1);
    expect(find('#next summary').tabIndex).toBe(-1);
    expect(find('.jp-StopChat-editor button').tabIndex).toBe(0);
    find('textarea').focus();
    expect(press('ArrowRight')).toBe(false);
    expect(press('PageDown')).toBe(false);
  });

  it('lead through what is in a message, and from message to message (U33)', () => {
    find('#reply').focus();
    expect(path('ArrowRight', 'ArrowRight', 'ArrowRight')).toEqual(['link', 'code', 'code']);
    expect(path('ArrowLeft', 'ArrowLeft', 'ArrowLeft')).toEqual(['link', 'reply', 'reply']);
    expect(path('PageUp', 'PageUp', 'ArrowRight', 'PageDown')).toEqual([
      'prompt',
      'prompt',
      'edit',
      'reply'
    ]);
  });

  it('leave wide code to be scrolled, and others’ shortcuts alone (U33)', () => {
    const code = find('#code');
    Object.assign(code.style, { overflowX: 'auto' });
    Object.defineProperties(code, { scrollWidth: { value: 300 }, clientWidth: { value: 200 } });
    code.focus();
    expect(press('ArrowRight')).toBe(false);
    expect(document.activeElement).toBe(code);
    expect(press('ArrowLeft', { altKey: true })).toBe(false);
    expect(press('ArrowDown')).toBe(false);
    expect(path('ArrowLeft')).toEqual(['link']);
  });
});
