/** Instructions are asked for and given at the server's routes. */
import { expect, test } from 'vitest';

import { instructionRoutesOf } from '../../src/stores/instructionRoutes';
import { RouteRequest } from '../../src/stores/server';

function routes(answer: object = {}) {
  const asked: [string, RouteRequest['method'], object | undefined][] = [];
  const ask = (path: readonly string[], request: RouteRequest = {}) => {
    asked.push([path.join('/'), request.method, request.body ?? request.query]);
    return Promise.resolve(new Response(JSON.stringify(answer)));
  };
  return { asked, routes: instructionRoutesOf(ask) };
}

test('the own ones and those of a chat are read and written', async () => {
  const made = routes({ text: 'Be brief.' });
  expect(await made.routes.own()).toBe('Be brief.');
  expect(await made.routes.ofChat('c')).toBe('Be brief.');
  await made.routes.setOwn('a');
  await made.routes.setOfChat('c', '');
  expect(made.asked).toEqual([
    ['instructions', undefined, undefined],
    ['chats/c/instructions', undefined, undefined],
    ['instructions', 'PUT', { text: 'a' }],
    ['chats/c/instructions', 'PUT', { text: '' }]
  ]);
});

test('what was sent is read as it was', async () => {
  const sent = { texts: ['  a\n\tb ', 'ü'], incomplete: false };
  const made = routes(sent);
  expect(await made.routes.sent('m')).toEqual(sent);
  expect(made.asked[0][0]).toBe('messages/m/instructions');
});

test('what the next prompt would be sent with is asked for by what is known', async () => {
  const made = routes({ text: 'Be brief.' });
  expect(await made.routes.next(null, null, null)).toBe('Be brief.');
  await made.routes.next('c', 'a/b.ipynb', 'p:m');
  expect(made.asked).toEqual([
    ['instructions/next', undefined, {}],
    ['instructions/next', undefined, { chat_id: 'c', path: 'a/b.ipynb', model: 'p:m' }]
  ]);
});
