// @vitest-environment jsdom
import { describe, expect, it } from 'vitest';

import { codeClick, codeToolsWith } from '../../src/text/codeTools';

const names = { copy: 'Copy', insert: 'Insert', replace: 'Replace', append: 'New' };

function rendered(html: string): HTMLElement {
  const root = document.createElement('div');
  root.innerHTML = html;
  codeToolsWith(names)(root);
  return root;
}

describe('the buttons of a code block', () => {
  it('are beside each block, named, and add no text', () => {
    const root = rendered('<p><code>x</code></p><pre><code>a\n</code></pre><pre><code>b</code></pre>');
    expect(root.textContent).toBe('xa\nb');
    const labels = [...root.querySelectorAll('button')].map(one => one.getAttribute('aria-label'));
    expect(labels).toEqual([...Object.values(names), ...Object.values(names)]);
  });

  it('are not there where no code is', () => {
    const root = rendered('<p>x</p><pre><code class="language-python">\n</code></pre>');
    expect(root.innerHTML).toBe('<p>x</p>');
  });

  it('tell which code is meant', () => {
    const root = rendered(
      '<pre><code>a = 1\n</code></pre><pre><code class="language-r"><i>b</i> = 2\n\n</code></pre>'
    );
    const [first, second] = root.querySelectorAll('[data-action=replace] path');
    expect(codeClick(first)?.code).toEqual({ text: 'a = 1', language: '' });
    expect(codeClick(second)).toEqual({
      action: 'replace',
      code: { text: 'b = 2\n', language: 'r' }
    });
    expect(codeClick(root.querySelector('code'))).toBeNull();
    expect(codeClick(null)).toBeNull();
  });
});
