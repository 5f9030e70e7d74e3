// @vitest-environment jsdom
/** U8, L6: the models of packages are told apart, and who lacks a package reads the line that adds it. */
import { nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { act } from 'react-dom/test-utils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { PanelContext, PanelTools } from '../../src/panel/context';
import { Choices } from '../../src/panel/models/choices';
import { Setup } from '../../src/panel/models/localInstall';
import { ModelChoice } from '../../src/stores/modelChoice';
import { ScriptedClock } from '../support';
import { model, provider, Server } from '../stores/modelServer';

// no dialog is opened here, and what dialogs are made of knows no jsdom
vi.mock('@jupyterlab/apputils', () => ({ Dialog: {}, InputDialog: {}, showDialog: vi.fn() }));
vi.mock('@lumino/widgets', () => ({ Widget: class {} }));

let root: Root;
let server: Server;
const BARE = model('local:smollm2', { available: false, reason: 'missing_package' });
const LINE = 'pip install "jupyter-stop-chat[local]"';

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  server = new Server();
  document.body.innerHTML = '<div></div>';
  root = createRoot(document.body.firstElementChild as HTMLElement);
});

afterEach(() => {
  act(() => root.unmount());
  vi.unstubAllGlobals();
});

async function show(what: () => JSX.Element): Promise<void> {
  const models = new ModelChoice({ routes: server, clock: new ScriptedClock() });
  await models.load();
  const tools = { models, trans: nullTranslator.load('stop_chat') } as unknown as PanelTools;
  act(() => root.render(<PanelContext.Provider value={tools}>{what()}</PanelContext.Provider>));
}
const list = (): JSX.Element => <Choices list={server.models} onChosen={() => undefined} />;
const all = (selector: string): string[] =>
  [...document.querySelectorAll(selector)].map(node => node.textContent ?? '');

it('calls the only model of a package by the name of the package', async () => {
  const own = (name: string): ReturnType<typeof model> => model(`${name}:default`, { label: name });
  server.models = { ...server.models, models: [own('reader'), own('writer'), model('writer:fast')] };
  await show(list);
  expect(all('.jp-StopChat-choice')).toEqual(expect.arrayContaining(['reader', 'writer', 'fast']));
  expect(all('.jp-StopChat-choice')).not.toContain('default');
});

it('shows the line that adds the local model where its package is missing', async () => {
  server.models = { ...server.models, models: [BARE] };
  await show(() => <Setup />);
  expect(all('code')).toEqual([LINE]);
  expect(document.body.textContent).toContain('No model is set up yet.');
  expect(all('button')).not.toContain('Install the local model (0 MB)');
  await show(list);
  expect(all('code')).toContain(LINE);
  expect(document.querySelector('.jp-StopChat-install')).toBeNull();
});

it('shows one line for two providers of one package', async () => {
  const missing = { installed: false, package: 'langchain-openai' };
  const providers = [provider('openai', missing), provider('openai_compatible', missing)];
  server.models = { ...server.models, models: [], providers };
  await show(list);
  expect(all('li code')).toEqual(['pip install langchain-openai']);
});
