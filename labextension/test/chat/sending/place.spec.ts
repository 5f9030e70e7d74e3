/** A prompt tells the notebook or file that is open beside the chat. */
import { beforeEach, expect, it } from 'vitest';

import { Send } from '../../../src/wire/protocol';
import { ask, begin, lookAt, online, sent } from '../../chatPage';

beforeEach(begin);

it.each([
  ['a/b.ipynb', 'a/b.ipynb'],
  [null, undefined],
  ['', undefined],
  ['x'.repeat(1001), undefined]
])('where it is known, and can be told', (path, told) => {
  online();
  lookAt(path);
  ask();
  expect((sent('send')[0] as Send).path).toBe(told);
});
