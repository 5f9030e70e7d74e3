// @vitest-environment jsdom
import { describe, expect, it } from 'vitest';

import { codeClick, codeFrame, codeToolsWith, showWrapping } from '../../src/text/codeTools';

const names = { wrap: 'Wrap', copy: 'Copy', insert: 'Insert', replace: 'Replace', append: 'New' };
let wraps = false;

function rendered(html: string): HTMLElement {
  const root = document.createElement('div');
  root.innerHTML = html;
  codeToolsWith(names, () => wraps)(root);
  return root;
}

const pressed = (root: HTMLElement): (string | null)[] =>
  [...root.querySelectorAll('[data-action=wrap]')].map(one => one.getAttribute('aria-pressed'));

describe('the head of a code block', () => {
  it('names its language and has all buttons, and adds no text (U11)', () => {
    const root = rendered(
      '<p><code>x</code></p><pre><code class="language-r">a\n</code></pre><pre><code>b</code></pre>'
    );
    expect(root.textContent).toBe('xa\nb');
    const heads = [...root.querySelectorAll<HTMLElement>('.jp-StopChat-codeHead')];
    expect(heads.map(one => one.dataset.language)).toEqual(['r', '']);
    for (const head of heads) {
      const labels = [...head.querySelectorAll('button')].map(one => one.getAttribute('aria-label'));
      expect(labels).toEqual(Object.values(names));
      expect(head.nextElementSibling?.tagName).toBe('PRE');
    }
  });

  it('is there before the code is whole, without buttons (U11)', () => {
    const pre = document.createElement('pre');
    const frame = codeFrame(pre, 'python');
    expect(frame.querySelector<HTMLElement>('.jp-StopChat-codeHead')?.dataset.language).toBe('python');
    expect(frame.querySelectorAll('button')).toHaveLength(0);
    expect(frame.lastElementChild).toBe(pre);
  });

  it('has a switch that shows whether long lines are wrapped (U10)', () => {
    wraps = true;
    const root = rendered('<pre><code>a</code></pre><pre><code>b</code></pre>');
    wraps = false;
    expect(pressed(root)).toEqual(['true', 'true']);
    showWrapping(root, false);
    expect(pressed(root)).toEqual(['false', 'false']);
    expect(codeClick(root.querySelector('[data-action=wrap]'))?.action).toBe('wrap');
  });

  it('are not there where no code is', () => {
    const root = rendered('<p>x</p><pre><code class="language-python">\n</code></pre>');
    expect(root.innerHTML).toBe('<p>x</p>');
  });

  it('take what is seen: hidden words, lines and pictures in it are plain words (U11)', () => {
    const root = rendered(
      '<pre><code>ls<br>pwd<span style="font-size: 0"> ; rm -r x</span><img src="x"></code></pre>'
    );
    expect(root.querySelector('code')?.innerHTML).toBe('ls\npwd ; rm -r x');
    expect(codeClick(root.querySelector('[data-action=copy]'))?.code.text).toBe('ls\npwd ; rm -r x');
  });

  it('are not there where a block is more than one code, and nothing of it goes away (U11)', () => {
    for (const html of [
      '<pre><code>a</code><code>b</code></pre>',
      '<pre>words<code> </code></pre>',
      '<pre><code></code><b>words</b></pre>'
    ]) {
      expect(rendered(html).innerHTML).toBe(html);
    }
    const nested = rendered('<pre><code>a<pre><code>b</code></pre></code></pre>');
    expect(nested.querySelectorAll('.jp-StopChat-code')).toHaveLength(1);
    expect(codeClick(nested.querySelector('[data-action=copy]'))?.code.text).toBe('ab');
  });

  it('tell which code is meant', () => {
    const root = rendered(
      '<pre><code>a = 1\n</code></pre><pre><code class="language-r"><i>b</i> = 2\n\n</code></pre>'
    );
    const [first, second] = root.querySelectorAll('[data-action=replace] path');
    expect(codeClick(first)?.code).toEqual({ text: 'a = 1', language: '' });
    expect(codeClick(second)).toMatchObject({
      action: 'replace',
      code: { text: 'b = 2\n', language: 'r' }
    });
    expect(codeClick(root.querySelector('code'))).toBeNull();
    expect(codeClick(null)).toBeNull();
  });
});
