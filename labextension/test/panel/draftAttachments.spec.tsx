// @vitest-environment jsdom
/** W22: what is seen of pictures beside the draft: on their way, and where a model sees none. */
import { readdirSync, readFileSync } from 'node:fs';

import { nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { act } from 'react-dom/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PanelContext, PanelTools } from '../../src/panel/context';
import { DraftAttachments } from '../../src/panel/input/attachmentChips';
import { Attachment } from '../../src/wire/protocol';
import { begin, chat, now, online, R1, sent, server } from '../chatPage';

const PLOT: Attachment = { name: 'plot.png', text: '', blob: 'a'.repeat(64), width: 4, height: 3 };
const NOTES: Attachment = { name: 'notes.txt', text: 'words' };
const SETTINGS = { tellPlace: true };
const MISSING = { state: 'missing' };
const STYLES = 'style';
const styles = (): string =>
  readdirSync(STYLES)
    .filter(name => name.endsWith('.css'))
    .map(name => readFileSync(`${STYLES}/${name}`, 'utf-8'))
    .join('\n');
let root: Root;
let sees: boolean | undefined;

function show(): void {
  const tools = {
    controller: chat,
    trans: nullTranslator.load(''),
    place: { subscribe: () => () => undefined, label: () => '' },
    settings: { subscribe: () => () => undefined, getSnapshot: () => SETTINGS },
    pictures: { subscribe: () => () => undefined, get: () => MISSING },
    models: {
      effective: 'a:b',
      info: () => ({ label: 'Blind', image_inputs: sees }),
      getSnapshot: () => tools,
      subscribe: () => () => undefined
    }
  } as unknown as PanelTools;
  act(() =>
    root.render(
      <PanelContext.Provider value={tools}>
        <DraftAttachments />
      </PanelContext.Provider>
    )
  );
}
const text = (): string => document.querySelector('#root')?.textContent ?? '';
const button = (name: string): HTMLButtonElement | undefined =>
  [...document.querySelectorAll('button')].find(one => one.textContent === name);

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  document.body.innerHTML = '<textarea class="jp-StopChat-input"></textarea><div id="root"></div>';
  root = createRoot(document.querySelector('#root') as HTMLElement);
  sees = undefined;
  begin();
  online();
});

afterEach(() => {
  act(() => root.unmount());
  vi.unstubAllGlobals();
});

describe('beside the draft', () => {
  it('stands what is on its way, until it is there', () => {
    const end = chat.beginUpload('plot.png', () => undefined);
    show();
    expect(text()).toBe('Attaching plot.png…');
    act(end);
    expect(text()).toBe('');
  });

  it('is given up by a click, before it is there', () => {
    const giveUp = vi.fn();
    chat.beginUpload('plot.png', giveUp);
    show();
    act(() => document.querySelector<HTMLElement>('[aria-label="Do not attach plot.png"]')?.click());
    expect(giveUp).toHaveBeenCalledOnce();
  });

  it('stands that a model takes no pictures, where that is known before', () => {
    chat.edit('Look');
    chat.attach([PLOT, NOTES]);
    show();
    expect(text()).not.toContain('takes no pictures');
    sees = false;
    show();
    expect(text()).toContain('Blind takes no pictures.');
    // also by who sees: it has no class that hides words from the eye
    const hiding = styles().match(/[^{}]*\{[^{}]*clip-path: inset\(50%\)[^{}]*\}/g)?.join('') ?? '';
    expect(hiding).toContain('.jp-StopChat-unseen');
    const notice = [...document.querySelectorAll('[role=status]')].find(one => one.textContent?.includes('Blind'));
    expect(hiding).not.toContain(`.${notice?.className} `);
    act(() => button('Send without pictures')?.click());
    expect(sent('send')[0]).toMatchObject({ body: 'Look', attachments: [NOTES] });
  });

  it('stands it once the server has refused them', () => {
    chat.edit('Look');
    chat.attach([PLOT]);
    chat.send();
    server().say({ type: 'error', request_id: R1, code: 'cannot_see', message: 'It is blind.' });
    show();
    act(() => button('Send without pictures')?.click());
    expect(sent('send')[1]).not.toHaveProperty('attachments');
    expect(now().chat.notice).toBe(null);
  });
});
