import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { formulasOf, parse } from '../../../src/text/parser';

const CASES = JSON.parse(
  readFileSync(new URL('../../../../tests/money_and_math.json', import.meta.url), 'utf8')
) as { text: string; math: string[] }[];

describe('R2: money and math', () => {
  it.each(CASES)('$text', ({ text, math }) => {
    expect(formulasOf(text)).toEqual(math);
  });

  it('keeps the letters of an amount apart, as they were written', () => {
    expect(parse('costs $5 and the large one $10')).toBe(
      '<p>costs $5 and the large one $10</p>\n'
    );
  });
});
