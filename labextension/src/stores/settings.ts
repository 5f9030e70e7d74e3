/** What the person has set, with defaults for when there is no setting registry. */
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { ChatSettings } from '../chat/options';
import { SEND_KEYS, SendKey } from './sendKey';

export const PLUGIN_ID = 'jupyter-stop-chat:plugin';

const POLICIES = ['queue', 'interrupt', 'reject'] as const;

export interface Settings extends ChatSettings {
  readonly sendKey: SendKey;
  /** Each prompt tells where the person is, unless that was taken off in its chat. */
  readonly tellPlace: boolean;
  /** Images on other hosts are shown without being asked for. */
  readonly remoteImages: boolean;
  /** Long lines of code are wrapped; else they are scrolled sideways. */
  readonly wrapCode: boolean;
  /** The receipt of a stop stands below each stopped reply, and not only on demand. */
  readonly showReceipt: boolean;
  /** Notify of a reply that ended out of sight. */
  readonly notifications: boolean;
  readonly openAtStart: boolean;
}

export const DEFAULTS: Settings = {
  onStop: 'keep',
  policy: null,
  restorePrompt: true,
  mode: 'ask',
  sendKey: 'Enter',
  tellPlace: true,
  remoteImages: false,
  wrapCode: false,
  showReceipt: false,
  notifications: true,
  openAtStart: false
};

/** Read what a settings file holds; what is missing or makes no sense has its default. */
export function readSettings(values: Readonly<Record<string, unknown>>): Settings {
  const { policy, sendKey } = values;
  return {
    onStop: values.onStop === 'discard' ? 'discard' : 'keep',
    policy: POLICIES.find(known => known === policy) ?? null,
    mode: values.mode === 'agent' ? 'agent' : 'ask',
    restorePrompt: values.restorePrompt !== false,
    sendKey: SEND_KEYS.find(known => known === sendKey) ?? 'Enter',
    tellPlace: values.tellPlace !== false,
    remoteImages: values.remoteImages === true,
    wrapCode: values.wrapCode === true,
    showReceipt: values.showReceipt === true,
    notifications: values.notifications !== false,
    openAtStart: values.openAtStart === true
  };
}

export class StopChatSettings {
  constructor(private _registry: ISettingRegistry | null) {
    this.ready = _registry ? this._load(_registry) : Promise.resolve();
  }

  /** Resolves when the settings have been read; it never rejects. */
  readonly ready: Promise<void>;

  readonly getSnapshot = (): Settings => this._now;

  /** Hear that the settings have changed; return what ends it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** Change a setting, as the settings editor does; without a registry, until the page is left. */
  async set(change: Pick<Settings, 'wrapCode'>): Promise<void> {
    this._show({ ...this._now, ...change });
    try {
      await this._registry?.set(PLUGIN_ID, 'wrapCode', change.wrapCode);
    } catch (error) {
      console.error('A setting of Stop Chat could not be kept.', error);
    }
  }

  private async _load(registry: ISettingRegistry): Promise<void> {
    try {
      const loaded = await registry.load(PLUGIN_ID);
      const read = (): void => this._show(readSettings(loaded.composite));
      loaded.changed.connect(read);
      read();
    } catch (error) {
      console.error('The settings of Stop Chat could not be read.', error);
    }
  }

  private _show(now: Settings): void {
    this._now = now;
    this._listeners.forEach(listener => listener());
  }

  private _now = DEFAULTS;
  private _listeners = new Set<() => void>();
}
