// @vitest-environment jsdom
/** What the gauge counts besides the input: the instructions of the chat that is shown, and of no other. */
import React from 'react';
import { createRoot } from 'react-dom/client';
import { act } from 'react-dom/test-utils';
import { expect, it, vi } from 'vitest';

import { PanelContext, PanelTools } from '../../src/panel/context';
import { useToldBesides } from '../../src/panel/input/toldBesides';

function Told(): JSX.Element {
  return <p>{useToldBesides(true, false, 'a:b', false).instructions}</p>;
}

it('counts no instructions of another chat where its own cannot be had', async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  let snapshot = { chat: { chatId: 'one' }, prompt: { draft: {} }, welcome: null };
  const listeners = new Set<() => void>();
  const subscribe = (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const settings = {};
  const tools = {
    controller: { subscribe, getSnapshot: () => snapshot },
    settings: { subscribe, getSnapshot: () => settings },
    place: { subscribe, label: () => '', path: () => null },
    instructions: {
      next: (chatId: string) =>
        chatId === 'one' ? Promise.resolve('Be brief.') : Promise.reject(new Error('/secret'))
    }
  } as unknown as PanelTools;
  const root = createRoot(document.body.appendChild(document.createElement('div')));
  await act(async () => {
    root.render(<PanelContext.Provider value={tools}><Told /></PanelContext.Provider>);
    await Promise.resolve();
  });
  expect(document.body.textContent).toBe('9');
  await act(async () => {
    snapshot = { ...snapshot, chat: { chatId: 'other' } };
    listeners.forEach(listener => listener());
    await Promise.resolve();
  });
  expect(document.body.textContent).toBe('0');
  act(() => root.unmount());
  vi.unstubAllGlobals();
});
