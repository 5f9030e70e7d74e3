// @vitest-environment jsdom
import { describe, expect, it } from 'vitest';

import { holdingSanitizer, holdRemote, isRemote, offerHeld } from '../src/images';

const BASE = 'http://localhost:8888/lab';

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
    const made = holdRemote(
      '<img src="https://e.example/a"><img src="data:image/png;base64,AA">' +
        '<video poster="https://e.example/p" src="//e.example/v"></video>' +
        '<img src="b.png" srcset="https://e.example/c 2x">' +
        '<p style="background: url(https://e.example/d)">x</p><p style="color: red">y</p>',
      BASE
    );
    expect(made.replace(/data-stop-chat-image="[^"]*"/g, '')).not.toContain('e.example');
    expect(made).toContain('src="data:image/png;base64,AA"');
    expect(made).toContain('src="b.png"');
    expect(made).toContain('color: red');
  });

  it('runs no commands of JupyterLab', () => {
    const made = holdRemote('<a data-commandlinker-command="x" data-commandlinker-args="{}">b</a>', BASE);
    expect(made).toBe('<a>b</a>');
  });

  it('comes from the sanitizer that is in charge', () => {
    const asked: string[] = [];
    const wrapped = holdingSanitizer({
      sanitize: dirty => {
        asked.push(dirty);
        return '<img src="https://e.example/a">';
      }
    });
    expect(wrapped.sanitize('<script>')).toContain('data-stop-chat-image');
    expect(asked).toEqual(['<script>']);
    expect(wrapped.allowCommandLinker).toBe(false);
  });

  it('offers each image that is held back behind a button', () => {
    const root = document.createElement('div');
    root.innerHTML = holdRemote('<img alt="cat" src="https://e.example/a">', BASE);
    offerHeld(root, host => `Show ${host}`);
    const button = root.querySelector('button') as HTMLButtonElement;
    expect(button.textContent).toBe('Show e.example');
    expect(root.querySelector('img')).toBeNull();
    button.click();
    expect(root.querySelector('img')?.src).toBe('https://e.example/a');
    expect(root.querySelector('button')).toBeNull();
  });
});
