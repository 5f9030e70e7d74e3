// @vitest-environment jsdom
/** What is chosen while a prompt is typed on, on a slow server. */
import { nullTranslator } from '@jupyterlab/translation';
import React, { useRef } from 'react';
import { createRoot, Root } from 'react-dom/client';
import { act } from 'react-dom/test-utils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { ChatCommands } from '../../src/chat/commands';
import { PanelContext, PanelTools } from '../../src/panel/context';
import { Popup } from '../../src/panel/input/completion/popup';
import { useCompletion } from '../../src/panel/input/completion/useCompletion';
import { begin, chat, draft, online } from '../chatPage';

let root: Root;
/** Answers for the paths that begin with what was typed. */
let answers: Map<string, (paths: string[]) => void>;

function Box(): JSX.Element {
  const box = useRef<HTMLTextAreaElement>(null);
  const completion = useCompletion(box);
  const text = chat.getSnapshot().prompt.draft.text;
  return (
    <>
      <Popup completion={completion} />
      <textarea
        ref={box}
        value={text}
        onChange={event => {
          chat.edit(event.target.value);
          completion.look();
        }}
        onKeyDown={completion.onKeyDown}
      />
    </>
  );
}

const box = (): HTMLTextAreaElement => document.querySelector('textarea') as HTMLTextAreaElement;
const options = (): (string | null)[] =>
  [...document.querySelectorAll('[role=option] > :first-child')].map(one => one.textContent);

async function write(text: string): Promise<void> {
  await act(async () => {
    const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value')?.set;
    set?.call(box(), text);
    box().setSelectionRange(text.length, text.length);
    box().dispatchEvent(new Event('input', { bubbles: true }));
    await Promise.resolve();
  });
}

async function answer(typed: string, paths: string[]): Promise<void> {
  await act(async () => {
    answers.get(typed)?.(paths);
    await Promise.resolve();
  });
}

/** Press Enter; tell whether the list took it. */
function enter(): boolean {
  const event = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true });
  act(() => void box().dispatchEvent(event));
  return event.defaultPrevented;
}

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  Element.prototype.scrollIntoView = () => undefined;
  document.body.innerHTML = '<div id="root"></div>';
  root = createRoot(document.querySelector('#root') as HTMLElement);
  answers = new Map();
  begin();
  online();
  const paths = (typed: string): Promise<string[]> =>
    new Promise(resolve => answers.set(typed, resolve));
  const tools = {
    controller: chat,
    commands: new ChatCommands(),
    place: { paths },
    trans: nullTranslator.load('')
  } as unknown as PanelTools;
  act(() =>
    root.render(
      <PanelContext.Provider value={tools}>
        <Box />
      </PanelContext.Provider>
    )
  );
});

afterEach(() => {
  act(() => root.unmount());
  vi.unstubAllGlobals();
});

it('is a whole word, also where more was typed than its list knows', async () => {
  await write('see @file:da');
  await answer('da', ['dark.txt', 'data.csv', 'data 2.csv']);
  expect(options()).toEqual(['dark.txt', 'data.csv', 'data 2.csv']);
  await write('see @file:data'); // the server has not answered for it
  expect(options()).toEqual(['data.csv', 'data 2.csv']);
  expect(enter()).toBe(true);
  expect(draft()).toBe('see @file:data.csv ');
});

it('is nothing where what was typed is none of what is offered', async () => {
  await write('see @file:da');
  await answer('da', ['dark.txt']);
  await write('see @file:dawn.txt');
  expect(options()).toEqual([]);
  expect(enter()).toBe(false);
  expect(draft()).toBe('see @file:dawn.txt');
});
