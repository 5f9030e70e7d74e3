/** Tokens and money in words. */
import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { costWords, dollars, spentWords, todayWords } from '../../src/panel/money';

const trans = nullTranslator.load('stop_chat');
const SPENT = {
  input_tokens: 900,
  output_tokens: 99,
  cost: 0,
  estimated: false,
  unpriced: false
};

describe('money', () => {
  it.each([
    [0, '$0'],
    [1, '<$0.0001'],
    [405, '$0.0004'],
    [12_345, '$0.012'],
    [123_456, '$0.12'],
    [12_000_000, '$12.00']
  ])('%i is written %s', (amount, words) => {
    expect(dollars(amount)).toBe(words);
  });

  it('says nothing of what is free or unknown, and that a guess is one', () => {
    expect(costWords(trans, undefined)).toBeUndefined();
    expect(costWords(trans, { amount: 0, estimated: false })).toBeUndefined();
    expect(costWords(trans, { amount: 405, estimated: true })).toBe('about $0.0004');
  });

  it('says the tokens, and the money as far as it is known', () => {
    expect(spentWords(trans, SPENT)).toBe('999 tokens');
    expect(spentWords(trans, { ...SPENT, estimated: true })).toBe('about 999 tokens');
    expect(spentWords(trans, { ...SPENT, cost: 20_000 })).toBe('999 tokens · $0.02');
    const some = { ...SPENT, cost: 20_000, unpriced: true };
    expect(spentWords(trans, some)).toBe('999 tokens · at least $0.02');
  });

  it('says the limits of a day, and when the next one begins', () => {
    const today = {
      spent: SPENT,
      max_cost: 500_000,
      begins_anew: '2026-01-02T00:00:00.000Z'
    };
    expect(todayWords(trans, { ...today, used_up: false })).toEqual([
      'Today: 999 tokens',
      'Limit of a day: $0.50'
    ]);
    const words = todayWords(trans, {
      ...today,
      max_tokens: 900,
      used_up: true
    });
    expect(words).toHaveLength(4);
    expect(words[3]).toContain(new Date(today.begins_anew).toLocaleString());
  });
});
