// @vitest-environment jsdom
import { beforeEach, describe, expect, it } from 'vitest';

import { Sections } from '../../src/text/sections';

let host: HTMLElement;
let sections: Sections;

beforeEach(() => {
  host = document.createElement('div');
  sections = new Sections(host);
});

function blocks(count: number): HTMLElement[] {
  return Array.from({ length: count }, (_, n) => {
    const node = document.createElement('p');
    node.textContent = `${n}`;
    return node;
  });
}
const sizes = (): number[] => [...host.children].map(section => section.childElementCount);
const full = (): boolean[] =>
  [...host.children].map(section => section.classList.contains('jp-mod-full'));

describe('the sections of a text', () => {
  it.each([[1], [5], [40]])('are the same when blocks come %i at a time', step => {
    const nodes = blocks(40);
    for (let at = 0; at < nodes.length; at += step) {
      sections.append(nodes.slice(at, at + step));
    }
    expect(sizes()).toEqual([16, 16, 8]);
    expect(full()).toEqual([true, true, false]);
    expect([...host.querySelectorAll('p')]).toEqual(nodes);
  });

  it('lose blocks from their end, and go with their last one', () => {
    const nodes = blocks(34);
    sections.append(nodes);
    nodes.splice(15).forEach(node => sections.remove(node));
    expect(sizes()).toEqual([15]);
    expect(full()).toEqual([false]);
    sections.append(blocks(2));
    expect(sizes()).toEqual([16, 1]);
    expect(full()).toEqual([true, false]);
  });
});
