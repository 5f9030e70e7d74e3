import { afterEach, describe, expect, it, vi } from 'vitest';

import { newId } from '../../src/chat/ids';

const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const real = globalThis.crypto;

describe('an id', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('has the form of the wire contract, and is made once', () => {
    const made = Array.from({ length: 100 }, newId);
    made.forEach(id => expect(id).toMatch(FORM));
    expect(new Set(made).size).toBe(100);
  });

  it('has it over plain HTTP too, where randomUUID is missing', () => {
    vi.stubGlobal('crypto', {
      getRandomValues: (bytes: Uint8Array) => real.getRandomValues(bytes)
    });
    expect(newId()).toMatch(FORM);
    expect(newId()).not.toBe(newId());
  });
});
