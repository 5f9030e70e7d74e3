import { describe, expect, it, vi } from 'vitest';

vi.mock('@lumino/widgets', () => ({ SplitPanel: class {}, Widget: class {} }));

import { widened } from '../../src/lab/firstWidth';

describe('the first width of the sidebar', () => {
  it.each([
    [[0.25, 0.75, 0], 0, 1000, [350, 650, 0]],
    [[0, 0.75, 0.25], 2, 1000, [0, 650, 350]],
    [[0.35, 0.65, 0], 0, 1000, null],
    [[0.5, 0.5, 0], 0, 1200, null]
  ])('is about 350 pixels, unless it is wider (U10): %j', (sizes, at, all, made) => {
    expect(widened(sizes, at, all)).toEqual(made);
  });
});
