import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { describe, expect, it } from 'vitest';

import { composes, Press, SEND_KEYS, sends } from '../../src/stores/sendKey';
import { DEFAULTS, readSettings, StopChatSettings } from '../../src/stores/settings';

const press = (change: Partial<Press> = {}): Press => ({
  key: 'Enter',
  keyCode: 13,
  isComposing: false,
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...change
});

describe('the key that sends', () => {
  it('is the one that is set, and no other', () => {
    const presses = [press(), press({ shiftKey: true }), press({ ctrlKey: true })];
    const which = SEND_KEYS.map(key => presses.map(one => sends(one, key)));
    expect(which).toEqual([
      [true, false, false],
      [false, false, true],
      [false, true, false]
    ]);
    expect(sends(press({ metaKey: true }), 'Ctrl+Enter')).toBe(true);
    expect(sends(press({ altKey: true }), 'Enter')).toBe(false);
    expect(sends(press({ key: 'a' }), 'Enter')).toBe(false);
  });

  it('sends nothing while an input method composes', () => {
    expect(sends(press({ isComposing: true }), 'Enter')).toBe(false);
    expect(sends(press({ keyCode: 229 }), 'Enter')).toBe(false);
    expect(composes(press({ keyCode: 229 }))).toBe(true);
    expect(composes(press())).toBe(false);
  });
});

describe('the settings', () => {
  const file = join(__dirname, '../..', 'schema', 'plugin.json');
  const schema = JSON.parse(readFileSync(file, 'utf8')) as {
    properties: Record<string, { default: unknown }>;
  };

  it('have the defaults of the schema', () => {
    const { properties } = schema;
    const said = Object.entries(properties).map(([name, one]): [string, unknown] => [
      name,
      one.default
    ]);
    expect(readSettings(Object.fromEntries(said))).toEqual(DEFAULTS);
    expect(new Set(Object.keys(properties))).toEqual(new Set(Object.keys(DEFAULTS)));
  });

  it('outlive what makes no sense', () => {
    const odd = Object.fromEntries(Object.keys(DEFAULTS).map(name => [name, { odd: 1 }]));
    expect(readSettings(odd)).toEqual(DEFAULTS);
    expect(readSettings({})).toEqual(DEFAULTS);
  });

  it('are read', () => {
    expect(
      readSettings({
        onStop: 'discard',
        policy: 'reject',
        mode: 'agent',
        restorePrompt: false,
        sendKey: 'Ctrl+Enter',
        tellPlace: false,
        remoteImages: true,
        wrapCode: true,
        showReceipt: true,
        notifications: false,
        openAtStart: true
      })
    ).toEqual({
      onStop: 'discard',
      policy: 'reject',
      mode: 'agent',
      restorePrompt: false,
      sendKey: 'Ctrl+Enter',
      tellPlace: false,
      remoteImages: true,
      wrapCode: true,
      showReceipt: true,
      notifications: false,
      openAtStart: true
    });
  });

  it('are changed from the page, and told of at once (U10)', async () => {
    const kept: unknown[] = [];
    const changed = { connect: () => undefined };
    const settings = new StopChatSettings({
      load: () => Promise.resolve({ composite: {}, changed }),
      set: (...what: unknown[]) => Promise.resolve(void kept.push(what))
    } as unknown as ISettingRegistry);
    await settings.ready;
    const told: boolean[] = [];
    settings.subscribe(() => told.push(settings.getSnapshot().wrapCode));
    await settings.set({ wrapCode: true });
    expect(told).toEqual([true]);
    expect(kept).toEqual([['jupyter-stop-chat:plugin', 'wrapCode', true]]);
    const unkept = new StopChatSettings(null);
    await unkept.set({ wrapCode: true });
    expect(unkept.getSnapshot().wrapCode).toBe(true);
  });
});
