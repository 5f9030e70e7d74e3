// @vitest-environment jsdom
/** J6, N7, N8: MCP servers in a list, which tools models may use, and that nothing of theirs is markup. */
import { nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { act } from 'react-dom/test-utils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { McpServers } from '../../src/panel/mcpServers';
import { LeftOut, McpListing, McpRoutes, McpServer, mcpRoutesOf } from '../../src/stores/agent/mcpRoutes';
import { Ask } from '../../src/stores/server';

const tool = {
  ...{ name: 'files__act', own_name: 'act', description: '<b>Act.</b>', on: true },
  ...{ digest: 'd1', allowed: false, allowed_chats: [] as string[] },
  ...{ left_out: null as LeftOut | null, left_out_arguments: [] as string[] }
};
const server: McpServer = {
  ...{ name: 'files', kind: 'stdio', source: 'own', state: 'ready', tools: [tool], left_out: 0 }
};

let root: Root;
let listing: McpListing;
let done: unknown[][];
let fails: Error | null;
const note =
  (what: string) =>
  (...args: unknown[]): Promise<void> => {
    done.push([what, ...args]);
    return fails ? Promise.reject(fails) : Promise.resolve();
  };
const routes: McpRoutes = {
  list: () => Promise.resolve(listing),
  switch: note('switch'),
  allow: note('allow'),
  retry: note('retry'),
  log: () => Promise.resolve(['one', '<i>two</i>'])
};

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  [done, fails] = [[], null];
  listing = { servers: [server], may_own: true, locked: false };
  document.body.innerHTML = '<div></div>';
  root = createRoot(document.body.firstElementChild as HTMLElement);
});

afterEach(() => {
  act(() => root.unmount());
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const settle = (): Promise<void> => act(async () => void (await vi.waitFor(() => undefined)));
async function show(): Promise<void> {
  const trans = nullTranslator.load('stop_chat');
  act(() =>
    root.render(<McpServers {...{ first: listing, routes, trans, askAgain: note('again') }} />)
  );
  await settle();
}
const words = (): string => document.body.textContent ?? '';
const button = (name: string): HTMLElement =>
  document.querySelector<HTMLElement>(`[aria-label="${name}"]`) as HTMLElement;
const click = async (node: HTMLElement | null): Promise<void> => {
  act(() => node?.click());
  await settle();
};

it('says where each is, and shows its words as words', async () => {
  listing = {
    ...listing,
    failure: 'The file is broken.',
    servers: [server, { ...server, name: 'web', kind: 'http', source: 'settings', state: 'failed', failure: 'No.' }]
  };
  await show();
  expect(words()).toContain('A program, your own · ready');
  expect(words()).toContain('Over HTTP, from the server’s settings · did not start');
  expect(words()).toContain('No.');
  expect(words()).toContain('The file is broken.');
  expect(words()).toContain('<b>Act.</b>');
  expect(document.querySelector('li b')).toBeNull();
});

it('says how to have one where there is none, or that one may not', async () => {
  listing = { servers: [], may_own: true, locked: false };
  await show();
  expect(words()).toContain('stop-chat/mcp.json');
  act(() => root.unmount());
  root = createRoot(document.body.firstElementChild as HTMLElement);
  listing = { servers: [], may_own: false, locked: false };
  await show();
  expect(words()).toContain('Who runs this server decides');
});

it('switches a tool by the name that models know, and says what the server makes of it', async () => {
  await show();
  listing = { ...listing, servers: [{ ...server, tools: [{ ...tool, on: false }] }] };
  await click(document.querySelector('input'));
  expect(done).toEqual([['switch', 'files', 'files__act', false]]);
  expect(document.querySelector('input')?.checked).toBe(false);
  fails = new Error('It cannot be kept.');
  await click(document.querySelector('input'));
  expect(words()).toContain('It cannot be kept.');
});

const choice = (): HTMLSelectElement =>
  document.querySelector<HTMLSelectElement>('select[aria-label="Before act acts"]') as HTMLSelectElement;
const choose = async (value: string): Promise<void> => {
  act(() => {
    choice().value = value;
    choice().dispatchEvent(new Event('change', { bubbles: true }));
  });
  await settle();
};
const confirm = (): Promise<void> => click(button('Confirm: allow act always'));
const offered = (): string[] => [...choice().options].map(one => one.text);

it('has a tool ask again wherever it was allowed', async () => {
  listing = { ...listing, servers: [{ ...server, tools: [{ ...tool, allowed: true, allowed_chats: ['c'] }] }] };
  await show();
  expect(choice().value).toBe('always');
  listing = { ...listing, servers: [server] };
  await choose('ask');
  expect(done).toEqual([
    ['again', 'files__act', null],
    ['again', 'files__act', 'c']
  ]);
  expect(choice().value).toBe('ask');
});

it('allows nothing while its choices are only looked through, as by an arrow key', async () => {
  await show();
  await choose('always');
  expect(done).toEqual([]);
  await choose('ask');
  expect([done, button('Confirm: allow act always')]).toEqual([[], null]);
  await choose('always');
  await confirm();
  expect(done).toEqual([['allow', 'files', 'files__act', 'd1']]);
  expect([button('Confirm: allow act always'), document.activeElement]).toEqual([null, choice()]);
});

it('allows a tool as it was seen; one that has changed meanwhile is shown as it is', async () => {
  await show();
  expect(offered()).toEqual(['Ask each time', 'Allow always']);
  expect(choice().value).toBe('ask');
  listing = { ...listing, servers: [{ ...server, tools: [{ ...tool, allowed: true }] }] };
  await choose('always');
  await confirm();
  expect(done).toEqual([['allow', 'files', 'files__act', 'd1']]);
  expect(choice().value).toBe('always');
  act(() => root.unmount());
  root = createRoot(document.body.firstElementChild as HTMLElement);
  listing = { ...listing, servers: [server] };
  await show();
  fails = new Error('Its server says something else of this tool by now.');
  const changed = { ...tool, digest: 'd2', description: 'Act on all.' };
  listing = { ...listing, servers: [{ ...server, tools: [changed] }] };
  await choose('always');
  await confirm();
  expect(done[1]).toEqual(['allow', 'files', 'files__act', 'd1']);
  expect(document.querySelector('[role="status"]')?.textContent).toContain('something else');
  expect(words()).toContain('Act on all.');
  expect(choice().value).toBe('ask');
});

it('shows that a tool is allowed in some chats, and offers both ways from there', async () => {
  listing = { ...listing, servers: [{ ...server, tools: [{ ...tool, allowed_chats: ['c', 'd'] }] }] };
  await show();
  expect(offered()).toEqual(['Ask each time', 'Allowed in 2 chats', 'Allow always']);
  expect(choice().value).toBe('chats');
  await choose('always');
  await confirm();
  expect(done).toEqual([['allow', 'files', 'files__act', 'd1']]);
});

it('lets nothing be allowed where the administrator has all of it asked for', async () => {
  const allowed = { ...server, tools: [{ ...tool, allowed: true }] };
  listing = { ...listing, locked: true, servers: [allowed] };
  await show();
  expect(words()).toContain('each tool asked for each time');
  expect([choice().disabled, choice().value]).toEqual([true, 'ask']);
});

it('says what is left out, and why', async () => {
  const full = { ...tool, name: 'files__b', own_name: 'b', left_out: 'no_room' as const };
  const odd = { ...tool, name: 'files__c', own_name: 'c', left_out_arguments: ['größe'] };
  const missing = { ...odd, name: 'files__d', own_name: 'd', left_out: 'arguments' as const };
  listing = { ...listing, servers: [{ ...server, tools: [tool, full, odd, missing], left_out: 172 }] };
  await show();
  const lines = [...document.querySelectorAll('li')].map(one => one.textContent ?? '');
  expect(lines[0]).not.toContain('Left out');
  expect(lines[1]).toContain('Left out: a request has room for 128 tools.');
  expect(lines[2]).toContain('Left out of what it takes: größe');
  expect(lines[2]).not.toContain('Left out: ');
  expect(lines[3]).toContain('Left out: it needs an argument whose name');
  expect(words()).toContain('Left out: 172 tools more');
});

it('says of a session that was ended that it does not run', async () => {
  listing = { ...listing, servers: [{ ...server, state: 'idle' }] };
  await show();
  expect(words()).toContain('· not running now');
  expect(button('Start files anew').textContent).toBe('Start');
});

it('starts a server anew, and looks until it is there', async () => {
  vi.useFakeTimers();
  listing = { ...listing, servers: [{ ...server, state: 'gone' }] };
  const trans = nullTranslator.load('stop_chat');
  act(() => root.render(<McpServers {...{ first: listing, routes, trans, askAgain: note('again') }} />));
  listing = { ...listing, servers: [{ ...server, state: 'starting' }] };
  await act(async () => {
    button('Start files anew').click();
    await vi.advanceTimersByTimeAsync(0);
  });
  expect(done).toEqual([['retry', 'files']]);
  expect(words()).toContain('starting…');
  listing = { ...listing, servers: [server] };
  await act(() => vi.advanceTimersByTimeAsync(1000));
  expect(words()).toContain('· ready');
  const list = vi.spyOn(routes, 'list');
  await act(() => vi.advanceTimersByTimeAsync(5000));
  expect(list).not.toHaveBeenCalled();
});

it('shows what a server wrote, and folds it in again', async () => {
  await show();
  await click(button('Log of files'));
  expect(document.querySelector('pre')?.textContent).toBe('one\n<i>two</i>');
  await click(button('Log of files'));
  expect(document.querySelector('pre')).toBeNull();
});

it('are asked for by routes that outlive what a server leaves out', async () => {
  const asked: unknown[] = [];
  let answer: unknown = {};
  const ask: Ask = (path, { method, body } = {}) => {
    asked.push([path.join('/'), method, body]);
    return Promise.resolve(new Response(JSON.stringify(answer)));
  };
  const made = mcpRoutesOf(ask);
  expect(await made.list()).toEqual({ servers: [], may_own: false, locked: false, failure: undefined });
  answer = { servers: [{ name: 'a', tools: [{ name: 't' }] }] };
  expect((await made.list()).servers[0].tools).toEqual([
    {
      ...{ name: 't', digest: '', allowed: false, allowed_chats: [] },
      ...{ left_out: null, left_out_arguments: [] }
    }
  ]);
  await made.switch('a', 't', false);
  await made.allow('a', 't', 'd');
  await made.retry('a');
  expect(await made.log('a')).toEqual([]);
  expect(asked.slice(2)).toEqual([
    ['mcp/servers/a/tools/t', 'PUT', { on: false }],
    ['mcp/servers/a/tools/t/allowed', 'PUT', { digest: 'd' }],
    ['mcp/servers/a/retry', 'POST', undefined],
    ['mcp/servers/a/log', undefined, undefined]
  ]);
});
