import { describe, expect, it } from 'vitest';

import { withChunk } from '../../../src/lab/difference/difference';
import { Proposal } from '../../../src/lab/difference/proposal';
import { chunksOf, editsBetween } from '../../../src/text/edits';

const BEFORE = 'a = 1\nb = 2\nc = 3\nd = 4';
const AFTER = 'a = 1\nb = 20\nc = 3\nd = 40\ne = 5';

const apply = (source: string, after: string): string =>
  [...editsBetween(source, after)]
    .reverse()
    .reduce((now, { from, to, insert }) => now.slice(0, from) + insert + now.slice(to), source);

describe('a proposal', () => {
  it('is the code, where nobody typed meanwhile', () => {
    const proposal = new Proposal(BEFORE);
    proposal.propose(AFTER, false);
    expect(proposal.text).toBe(AFTER);
    expect(apply(BEFORE, proposal.text)).toBe(AFTER);
  });

  it('leaves what the code has not come to, while it grows', () => {
    const proposal = new Proposal(BEFORE);
    for (let end = 0; end <= AFTER.length; end += 1) {
      proposal.propose(AFTER.slice(0, end), true);
      // what the code did not say yet is not taken away
      expect(proposal.text.startsWith(AFTER.slice(0, end))).toBe(true);
      expect(end > 30 || proposal.text.endsWith('d = 4')).toBe(true);
    }
    proposal.propose('a = 1', false);
    expect(proposal.text).toBe('a = 1');
  });

  it('loses nothing that was typed meanwhile, wherever', () => {
    const proposal = new Proposal(BEFORE);
    proposal.propose(AFTER, false);
    for (let at = 0; at <= BEFORE.length; at += 1) {
      const typed = `${BEFORE.slice(0, at)}<mine>${BEFORE.slice(at)}`;
      proposal.sourceIs(typed);
      expect(proposal.text).toContain('<mine>');
      expect(proposal.text.replace('<mine>', '')).toBe(AFTER);
    }
    proposal.sourceIs(BEFORE);
    expect(proposal.text).toBe(AFTER);
  });

  it('goes on from what was typed into an empty cell while the code came', () => {
    const proposal = new Proposal('');
    proposal.propose('x =', true);
    proposal.sourceIs('# mine\n');
    proposal.propose('x = 1', false);
    expect(proposal.text).toContain('# mine');
    expect(proposal.text).toContain('x = 1');
  });

  it('takes one change at a time', () => {
    expect(chunksOf(BEFORE, AFTER)).toHaveLength(2);
    expect(chunksOf('c = 3', 'c = 3\nd = 4')).toMatchObject([{ fromA: 6, toA: 6 }]);
    let source = withChunk(BEFORE, AFTER, 1, 'accept');
    expect(source).toBe('a = 1\nb = 2\nc = 3\nd = 40\ne = 5');
    source = withChunk(source, AFTER, 0, 'accept');
    expect(source).toBe(AFTER);
    let proposed = withChunk(BEFORE, AFTER, 0, 'reject');
    expect(proposed).toBe('a = 1\nb = 2\nc = 3\nd = 40\ne = 5');
    proposed = withChunk(BEFORE, proposed, 0, 'reject');
    expect(proposed).toBe(BEFORE);
  });

  it.each([
    ['', 'x'],
    ['x', ''],
    ['a\n', 'a'],
    ['a', 'a\n\n'],
    ['a\nb', 'b'],
    ['a', 'b\na'],
    ['\n\n', 'x\n']
  ])('comes from %j to %j change by change, either way', (before, after) => {
    let [source, proposed] = [before, after];
    for (let n = 0; n < 5 && source !== after; n += 1) {
      source = withChunk(source, after, 0, 'accept');
    }
    for (let n = 0; n < 5 && proposed !== before; n += 1) {
      proposed = withChunk(before, proposed, 0, 'reject');
    }
    expect([source, proposed]).toEqual([after, before]);
  });
});
