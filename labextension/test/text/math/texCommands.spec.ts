import { describe, expect, it } from 'vitest';

import { isHarmless } from '../../../src/text/math/texCommands';

describe('H1: a formula', () => {
  it.each([
    '\\frac{a}{b} \\text{ for } x \\in \\mathbb{R}',
    '\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}',
    '\\left\\{ \\int_0^1 x\\,dx \\right\\}',
    '\\ce{H2O} \\color{red}{x} \\operatorname{rank} A \\tag{1}'
  ])('%s is typeset', tex => {
    expect(isHarmless(tex)).toBe(true);
  });

  it.each([
    '\\mmlToken{mglyph}[src=x]{}',
    '\\csname mmlToken\\endcsname',
    '\\let\\alpha\\mmlToken \\alpha',
    '\\def\\frac#1{x}',
    '\\href{http://e.example}{x}',
    '\\style{x}{y}',
    '\\require{html}',
    '\\\\\\unicode{x41}'
  ])('%s is not', tex => {
    expect(isHarmless(tex)).toBe(false);
  });
});
