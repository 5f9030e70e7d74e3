import { describe, expect, it } from 'vitest';

import { isHarmless } from '../../../src/text/diagrams/drawing';

describe('H1: what a declaration of a drawing may say', () => {
  it.each([
    'red',
    '#fcc',
    'rgba(0, 0, 0, 0.3)',
    'url(#diagram-1_flowchart-v2-pointEnd)',
    'url("#drop-shadow")',
    'translate(-50%, calc(1px + (2px * 3)))',
    'drop-shadow(1px 2px 2px rgb(185, 185, 185))',
    '"trebuchet ms", verdana, sans-serif',
    'cubic-bezier(0.1, 0.2, 1, 1) 2s infinite',
    'M0,0 L10 10 Z',
    'matrix(1 0 0 1 -2e-5 0)'
  ])('keeps %s', value => {
    expect(isHarmless(value)).toBe(true);
  });

  it.each([
    'url(http://evil.example/a)',
    'url(//evil.example/a)',
    'url(a.png)',
    'URL( "http:a" )',
    'url(#a) url(http:a)',
    'url(#a)url(b)',
    'uurl(#a)rl(http:a)',
    'u\\72l(http\\3a a)',
    'image-set("http:a" 1x)',
    '-webkit-image-set("a" 1x)',
    'image("a")',
    'src("a")',
    'cross-fade(url(#a), "b")',
    'element(#a)',
    'var(--x)',
    'attr(x url)',
    'env(x)',
    'red;}*{background:red',
    '@import "a"',
    'u/**/rl(http:a)',
    '"a"url(b)',
    'rgb(url(b))',
    'expression(alert(1))'
  ])('refuses %s', value => {
    expect(isHarmless(value)).toBe(false);
  });
});
