/** What a prompt names, and what only looks like it. */
import { describe, expect, it } from 'vitest';

import { mentionsIn, NAMES, originOf, wordAt, written } from '../../../src/chat/place/mentions';

const named = (text: string): string[] => mentionsIn(text).map(written);

describe('what a prompt names', () => {
  it('is each thing once, in order', () => {
    expect(named('Why does @cell fail? (@error, @variables) See @cell.')).toEqual([
      '@cell',
      '@error',
      '@variables'
    ]);
    NAMES.forEach(name => expect(named(`@${name}`)).toEqual([`@${name}`]));
  });

  it('is a file by its path, in quotes where it has spaces', () => {
    expect(mentionsIn('See @file:a/b.txt, and (@file:"my notes.md").')).toEqual([
      { name: 'file', path: 'a/b.txt' },
      { name: 'file', path: 'my notes.md' }
    ]);
    for (const path of ['a.txt', 'a b.txt', 'odd).', 'é/🐢.py', '../secret', '.hidden']) {
      expect(mentionsIn(`x ${written({ name: 'file', path })} y`)).toEqual([{ name: 'file', path }]);
    }
  });

  it.each([
    'me@cell.org',
    'a/@cell/b',
    '@cells and @celled',
    '@cell.run()',
    '@output(1)',
    '@error-prone',
    '@cell@home',
    '`@cell`',
    'an open `@cell',
    '```\n@cell\n```',
    '~~~python\nx\n@error',
    '@output\ndef f():\n  pass',
    '  @error\n  @other\n  def f(): ...',
    '@file:',
    '@file: x',
    '@property',
    '@'
  ])('is nothing in %j', text => {
    expect(named(text)).toEqual([]);
  });

  it('is found behind code', () => {
    expect(named('```\n@cell\n```\n@error and `x` @output')).toEqual(['@error', '@output']);
  });
});

describe('the word at the caret', () => {
  const at = (marked: string) => {
    const caret = marked.indexOf('|');
    return wordAt(marked.replace('|', ''), caret);
  };

  it('may become a mention', () => {
    expect(at('why @|')).toEqual({ sign: '@', typed: '', start: 4, end: 5 });
    expect(at('@ce|ll now')).toEqual({ sign: '@', typed: 'ce', start: 0, end: 5 });
    expect(at('(@file:a/b|c.txt)')).toMatchObject({ typed: 'file:a/b', start: 1, end: 16 });
    expect(at('@file:"my no|tes" x')).toMatchObject({ typed: 'file:my no', start: 0, end: 16 });
  });

  it('may become a command, at the beginning only', () => {
    expect(at('/fi|x it')).toEqual({ sign: '/', typed: 'fi', start: 0, end: 4 });
    expect(at('/|')).toEqual({ sign: '/', typed: '', start: 0, end: 1 });
  });

  it.each(['me@ho|me', 'x /fi|', '/etc/ho|sts', '/et|c/hosts', '/fix it|', '`@ce|', '```\n@ce|', '@cell |', '|@cell'])(
    'is none in %j',
    marked => {
      expect(at(marked)).toBeNull();
    }
  );
});

it('tells where a context comes from by its name', () => {
  expect(originOf('@cell – Cell 3 of a.ipynb')).toBe('@cell');
  expect(originOf('@file:a b.txt')).toBe('@file:a b.txt');
  expect(originOf('Notebook: a.ipynb, cell 3')).toBe('place');
  expect(originOf('@celler.ipynb')).toBe('place');
});
