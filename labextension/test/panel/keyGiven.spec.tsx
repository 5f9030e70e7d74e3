// @vitest-environment jsdom
/** U6, U8: what follows in the list of models from what was given there. */
import { nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { flushSync } from 'react-dom';
import { createRoot, Root } from 'react-dom/client';
import { act } from 'react-dom/test-utils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { PanelContext, PanelTools } from '../../src/panel/context';
import { Choices } from '../../src/panel/models/choices';
import { Setup } from '../../src/panel/models/localInstall';
import { NextStep } from '../../src/panel/messages/nextStep';
import { ModelChoice } from '../../src/stores/modelChoice';
import { ScriptedClock } from '../support';
import { model, provider, Server } from '../stores/modelServer';

vi.mock('@jupyterlab/apputils', () => ({ Dialog: {}, InputDialog: {}, showDialog: vi.fn() }));
vi.mock('@lumino/widgets', () => ({ Widget: class {} }));
const dialog = vi.hoisted(() => ({ give: () => Promise.resolve(false) }));
vi.mock('../../src/panel/models/keys', () => ({ askForKey: () => dialog.give() }));

let root: Root;
let server: Server;
let models: ModelChoice;
let chosen: (string | null)[];

beforeEach(async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  server = new Server();
  const own = provider('openai_compatible', { label: 'A server' });
  server.models = {
    ...server.models,
    models: [model('ollama:llama'), model('openai:a'), model('openai_compatible:one')],
    providers: [provider('openai'), own],
    default_model: 'ollama:llama'
  };
  chosen = [];
  models = new ModelChoice({ routes: server, clock: new ScriptedClock() });
  await models.load();
  document.body.innerHTML = '<div></div>';
  root = createRoot(document.body.firstElementChild as HTMLElement);
  const tools = { models, trans: nullTranslator.load('stop_chat') } as unknown as PanelTools;
  const list = <Choices list={server.models} onChosen={id => chosen.push(id)} />;
  act(() => root.render(<PanelContext.Provider value={tools}>{list}</PanelContext.Provider>));
});

afterEach(() => {
  act(() => root.unmount());
  vi.unstubAllGlobals();
});

/** Press a button; the server then has another choice, as what was given led to. */
async function give(label: string, choice: string, meanwhile = (): void => undefined): Promise<void> {
  dialog.give = async () => {
    await Promise.resolve();
    meanwhile();
    server.models = { ...server.models, chosen: choice };
    await models.load();
    return true;
  };
  const button = document.querySelector<HTMLElement>(`[aria-label="${label}"]`);
  await act(async () => {
    button?.click();
    await vi.waitFor(() => expect(models.getSnapshot().chosen).toBe(choice));
  });
}

it('leaves the list where its one model was chosen with a server', async () => {
  await give('Set up the OpenAI-compatible server', 'openai_compatible:one');
  expect(chosen).toEqual(['openai_compatible:one']);
});

it('stays in the list where a key has only kept what was in use', async () => {
  await give('Add a key for OPENAI', 'ollama:llama');
  expect(chosen).toEqual([]);
});

it('stays in the list where a server has not changed what is in use', async () => {
  await give('Set up the OpenAI-compatible server', 'ollama:llama');
  expect(chosen).toEqual([]);
});

it('chooses nothing in a list that was closed while a server was asked', async () => {
  const close = (): void => flushSync(() => root.render(null));
  await give('Set up the OpenAI-compatible server', 'openai_compatible:one', close);
  expect(chosen).toEqual([]);
});

it.each([
  ['in a cell is left there', '.cell', '.cell'],
  ['in the panel goes to its input', 'button', '.jp-StopChat-input']
])('the focus that is %s once a key was tried', async (_, before, after) => {
  server.models = {
    ...server.models,
    models: [model('openai:a', { available: false, reason: 'missing_key' })],
    default_model: 'openai:a'
  };
  await models.load();
  document.body.innerHTML =
    '<div class="jp-StopChat-panel"><main></main><textarea class="jp-StopChat-input"></textarea></div>' +
    '<textarea class="cell"></textarea>';
  // jsdom lays nothing out
  vi.spyOn(HTMLElement.prototype, 'offsetParent', 'get').mockReturnValue(document.body);
  const of = (selector: string): HTMLElement => document.querySelector(selector) as HTMLElement;
  const tools = { models, trans: nullTranslator.load('stop_chat') } as unknown as PanelTools;
  const error = { code: 'missing_key', message: 'No key.' } as const;
  for (const what of [<Setup />, <NextStep error={error} model="openai:a" />]) {
    const own = createRoot(of('main'));
    act(() => own.render(<PanelContext.Provider value={tools}>{what}</PanelContext.Provider>));
    const asked = new Promise<void>(resolve => {
      dialog.give = async () => {
        of(before).focus();
        resolve();
        return Promise.resolve(true);
      };
    });
    await act(async () => {
      of('button').click();
      await asked;
    });
    await act(async () => void (await vi.waitFor(() => undefined)));
    expect(document.activeElement).toBe(of(after));
    act(() => own.unmount());
  }
  vi.restoreAllMocks();
});
