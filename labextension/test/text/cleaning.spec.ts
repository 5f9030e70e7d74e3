// @vitest-environment jsdom
import { describe, expect, it } from 'vitest';

import { clean, cleaningSanitizer, harden } from '../../src/text/cleaning';
import { isRemote, offerHeld } from '../../src/text/images';

const BASE = 'http://localhost:8888/lab';
const FILES = 'http://localhost:8888/files/';
const cleaned = (html: string): string => clean(html, BASE, FILES);

describe('an address', () => {
  it.each([
    ['https://evil.example/a.png', true],
    ['//evil.example/a.png', true],
    ['  HTTPS://evil.example/', true],
    ['http://localhost:9999/a.png', true],
    ['\\\\evil.example/a.png', true],
    ['http://[', true],
    ['files/a.png', false],
    ['/files/a.png', false],
    ['http://localhost:8888/files/a.png', false],
    ['data:image/png;base64,AA', false]
  ])('%s leads away: %s', (address, remote) => {
    expect(isRemote(address, BASE)).toBe(remote);
  });
});

describe('cleaned HTML', () => {
  it('fetches nothing from elsewhere', () => {
    const made = cleaned(
      '<img src="https://e.example/a"><img src="data:image/png;base64,AA">' +
        '<video poster="https://e.example/p" src="//e.example/v"></video>' +
        '<img src="/files/b.png" srcset="https://e.example/c 2x">' +
        '<p style="background: url(https://e.example/d)">x</p><p style="color: red">y</p>'
    );
    expect(made.replace(/data-stop-chat-image="[^"]*"/g, '')).not.toContain('e.example');
    expect(made).toContain('src="data:image/png;base64,AA"');
    expect(made).toContain('src="/files/b.png"');
    expect(made).toContain('color: red');
  });

  it('asks nothing of our own server but its files', () => {
    for (const address of ['/logout', 'x.png', '/files/../logout', '/filesystem', '/lab/files/x']) {
      expect(cleaned(`<img alt="a" src="${address}">`)).toBe('a');
    }
  });

  it('runs no commands of JupyterLab', () => {
    const made = cleaned('<a data-commandlinker-command="x" data-commandlinker-args="{}">b</a>');
    expect(made).toBe('<a>b</a>');
  });

  it.each([
    ['<form action="/x">a<button>b</button><select><option>c</option></select></form>', 'abc'],
    ['<input type="password">a<textarea>b</textarea>', 'ab'],
    [
      '<li><input type="checkbox" checked="" disabled="" name="x"> a</li>',
      '<li><input type="checkbox" checked="" disabled=""> a</li>'
    ],
    ['<div class="jp-Dialog language-py" id="x" tabindex="1">a</div>', '<div class="language-py">a</div>'],
    ['<div class="lm-Menu">a</div>', '<div>a</div>'],
    ['<p style="position: absolute; color: red; z-index: 9">a</p>', '<p style="color: red">a</p>'],
    ['<map><area href="https://e.example"></map><video src="data:,"></video>a', 'a']
  ])('holds no controls, and poses as none: %s', (html, made) => {
    expect(cleaned(html)).toBe(made);
  });

  it('comes from the sanitizer that is in charge', () => {
    const asked: string[] = [];
    const wrapped = cleaningSanitizer(
      {
        sanitize: dirty => {
          asked.push(dirty);
          return '<img src="https://e.example/a">';
        }
      },
      FILES
    );
    expect(wrapped.sanitize('<script>')).toContain('data-stop-chat-image');
    expect(asked).toEqual(['<script>']);
    expect(wrapped.allowCommandLinker).toBe(false);
  });

  it('offers each image that is held back behind a button', () => {
    const root = document.createElement('div');
    root.innerHTML = cleaned('<img alt="cat" src="https://e.example/a">');
    offerHeld(root, host => `Show ${host}`);
    const button = root.querySelector('button') as HTMLButtonElement;
    expect(button.textContent).toBe('Show e.example');
    expect(root.querySelector('img')).toBeNull();
    button.click();
    expect(root.querySelector('img')?.src).toBe('https://e.example/a');
    expect(root.querySelector('button')).toBeNull();
  });

  it('survives an address that is none', () => {
    const root = document.createElement('div');
    root.innerHTML = cleaned('<img src="http://[">');
    offerHeld(root, host => `Show ${host}`);
    expect(root.textContent).toBe('Show http://[');
  });
});

describe('a link', () => {
  const hardened = (html: string): HTMLAnchorElement => {
    const root = document.createElement('div');
    root.innerHTML = html;
    harden(root);
    return root.querySelector('a') as HTMLAnchorElement;
  };

  it('opens in a window that knows nothing of this one', () => {
    const link = hardened('<a href="https://e.example" target="_top" rel="opener">x</a>');
    expect([link.target, link.rel]).toEqual(['_blank', 'noopener noreferrer']);
    expect(hardened('<a href="/logout">x</a>').target).toBe('_blank');
  });

  it('within the text stays in the page', () => {
    expect(hardened('<a href="#part">x</a>').target).toBe('_self');
  });

  it('runs nothing', () => {
    expect(hardened('<a href="javascript:x()">x</a>').hasAttribute('href')).toBe(false);
    expect(hardened('<a href=" \x01javascript:x()">x</a>').hasAttribute('href')).toBe(false);
  });
});
