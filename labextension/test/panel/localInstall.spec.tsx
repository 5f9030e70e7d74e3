// @vitest-environment jsdom
/** U6, U39: who waited for the local model can type at once, and who is elsewhere by then stays there. */
import { nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { act } from 'react-dom/test-utils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { PanelContext, PanelTools } from '../../src/panel/context';
import { InstallLocal } from '../../src/panel/models/localInstall';
import { ModelChoice } from '../../src/stores/modelChoice';
import { ScriptedClock } from '../support';
import { model, Server } from '../stores/modelServer';

// no dialog is opened here, and what dialogs are made of knows no jsdom
vi.mock('@jupyterlab/apputils', () => ({ Dialog: {}, InputDialog: {}, showDialog: vi.fn() }));
vi.mock('@lumino/widgets', () => ({ Widget: class {} }));

let root: Root;
let server: Server;
let models: ModelChoice;
const controller = { getSnapshot: () => ({ chat: { messages: [], choices: {} } }) };
const of = (selector: string): HTMLElement => document.querySelector(selector) as HTMLElement;

beforeEach(async () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  server = new Server();
  server.state = { ...server.state, state: 'missing' };
  models = new ModelChoice({ routes: server, clock: new ScriptedClock() });
  await models.load();
  document.body.innerHTML =
    '<main></main><textarea class="jp-StopChat-input"></textarea><textarea class="cell"></textarea>';
  // jsdom lays nothing out
  vi.spyOn(HTMLElement.prototype, 'offsetParent', 'get').mockReturnValue(document.body);
  root = createRoot(of('main'));
  const tools = { models, controller, trans: nullTranslator.load('stop_chat') };
  act(() =>
    root.render(
      <PanelContext.Provider value={tools as unknown as PanelTools}>
        <InstallLocal />
      </PanelContext.Provider>
    )
  );
});

afterEach(() => {
  act(() => root.unmount());
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

async function installedWhile(elsewhere: () => void): Promise<void> {
  const button = of('button.jp-StopChat-primary');
  button.focus();
  server.state = { ...server.state, state: 'installing' };
  await act(async () => button.click());
  elsewhere();
  server.models = { ...server.models, models: [model('local:smollm2')] };
  server.state = { ...server.state, state: 'installed' };
  await act(async () => models.load());
}

it('leaves the focus in the cell that a person writes in meanwhile', async () => {
  await installedWhile(() => of('.cell').focus());
  expect(await models.installed()).toBe(true);
  expect(document.activeElement).toBe(of('.cell'));
});

it('gives the input the focus where the button had it', async () => {
  await installedWhile(() => undefined);
  expect(await models.installed()).toBe(true);
  expect(document.activeElement).toBe(of('.jp-StopChat-input'));
});
