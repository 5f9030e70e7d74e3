/** N8, N10: the routes of what tools were asked and changed, and of what may act unasked. */
import { expect, it } from 'vitest';

import { Ask, RouteRequest } from '../../../src/stores/server';
import { toolRoutesOf } from '../../../src/stores/agent/toolRoutes';

it('are asked for what there is, and outlive what a server leaves out', async () => {
  const asked: [string, RouteRequest][] = [];
  let answer: unknown = {};
  const ask: Ask = (path, request = {}) => {
    asked.push([path.join('/'), request]);
    return Promise.resolve(new Response(JSON.stringify(answer)));
  };
  const routes = toolRoutesOf(ask);
  expect(await routes.calls('m')).toEqual([]);
  expect(await routes.changes('m')).toEqual([]);
  expect(await routes.allowed()).toEqual({ tools: [], locked: false });
  answer = { calls: [{ call_id: 'c', args: '{}' }] };
  expect(await routes.calls('m')).toEqual([
    { call_id: 'c', args: '{}', result: null, proposed: [], changes: [] }
  ]);
  await routes.moved('m', true, [{ n: 0, outcome: 'left', why: 'gone' }]);
  await routes.answer('call', { result: 'x' });
  await routes.askAgain('t', null);
  await routes.askAgain('t', 'chat');
  expect(asked.slice(-4).map(([path, { method, body, query }]) => [path, method, body ?? query])).toEqual([
    ['messages/m/changes', 'POST', { undone: true, outcomes: [{ n: 0, outcome: 'left' }] }],
    ['tool-answers/call', 'POST', { result: 'x' }],
    ['allowed-tools', 'DELETE', { tool: 't' }],
    ['allowed-tools', 'DELETE', { tool: 't', chat_id: 'chat' }]
  ]);
});

it('ask what is kept of a notebook, have it forgotten, and act on a kernel (N4, N6)', async () => {
  const asked: unknown[] = [];
  let answer: unknown = {};
  const ask: Ask = (path, { method, body, query } = {}) => {
    asked.push([path, method, body ?? query]);
    return Promise.resolve(new Response(JSON.stringify(answer)));
  };
  const routes = toolRoutesOf(ask);
  expect(await routes.keptOutputs('x/a.ipynb')).toEqual([]);
  answer = { runs: [{ call_id: 'c' }] };
  expect(await routes.keptOutputs('x/a.ipynb')).toEqual([{ call_id: 'c' }]);
  await routes.dropOutputs('m', 'c/1');
  await routes.kernel('m', 'c/1', 'interrupt');
  expect(asked.slice(1)).toEqual([
    [['cell-outputs'], undefined, { path: 'x/a.ipynb' }],
    [['cell-outputs', 'm', 'c/1'], 'DELETE', undefined],
    [['messages', 'm', 'calls', 'c/1', 'kernel'], 'POST', { action: 'interrupt' }]
  ]);
});
