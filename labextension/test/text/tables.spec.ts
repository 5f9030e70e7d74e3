// @vitest-environment jsdom
import { expect, it } from 'vitest';

import { frameTables } from '../../src/text/tables';

it('puts each table into a frame that scrolls, and none into another (U22)', () => {
  const root = document.createElement('div');
  root.innerHTML = '<p>x</p><table><tbody><tr><td><table></table></td></tr></tbody></table><table></table>';
  frameTables(root);
  const frames = [...root.querySelectorAll<HTMLElement>('.jp-StopChat-table')];
  expect(frames.map(frame => frame.parentElement)).toEqual([root, root]);
  expect(frames.map(frame => frame.firstElementChild?.tagName)).toEqual(['TABLE', 'TABLE']);
  expect(frames.map(frame => frame.tabIndex)).toEqual([0, 0]);
});
