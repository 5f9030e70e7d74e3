/** W22: a file on its way to the server that is not wanted any more. */
import { Contents } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { beforeEach, expect, it } from 'vitest';

import { NotUploaded, Uploading } from '../../src/lab/uploading';
import { UploadRoutes } from '../../src/stores/uploadRoutes';
import { begin, chat, now, online, sent } from '../chatPage';

let signals: (AbortSignal | undefined)[];

/** A server that does not answer. */
const routes = {
  picture: (_: Blob, signal?: AbortSignal) => (signals.push(signal), new Promise(() => undefined)),
  document: (_: Blob, __: string, signal?: AbortSignal) => (signals.push(signal), new Promise(() => undefined))
} as unknown as UploadRoutes;
/** A file of the server that takes its time. */
const contents = { get: () => new Promise(() => undefined) } as unknown as Contents.IManager;
const uploading = new Uploading(routes, contents, nullTranslator.load(''));

beforeEach(() => {
  signals = [];
  begin();
  online();
});

it.each([
  ['a picture', () => uploading.file(chat, 'a.png', new Blob(['x']), 10)],
  ['a document', () => uploading.file(chat, 'a.pdf', new Blob(['x']), 10)],
  ['a picture of the server', () => uploading.path(chat, 'a.png', 'a.png', 1, 10)]
])('is broken off at once, and the prompt goes without it: %s', async (_, begins) => {
  const work = begins();
  chat.edit('Go');
  expect(chat.send()).toBe(false);
  now().uploads[0].giveUp();
  const error: unknown = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(NotUploaded);
  expect((error as Error).message).toBe('');
  expect(signals.every(signal => signal?.aborted)).toBe(true);
  expect(now().uploads).toEqual([]);
  expect(chat.send()).toBe(true);
  expect(sent('send')).toHaveLength(1);
});
