/** What the person has set, with defaults for when there is no setting registry. */
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { ChatSettings } from './controller';

export const PLUGIN_ID = 'jupyter-stop-chat:plugin';

const POLICIES = ['queue', 'interrupt', 'reject'] as const;

export class StopChatSettings {
  constructor(registry: ISettingRegistry | null) {
    this.ready = registry ? this._load(registry) : Promise.resolve();
  }

  /** Resolves when the settings have been read; it never rejects. */
  readonly ready: Promise<void>;

  get chat(): ChatSettings {
    return this._chat;
  }

  get openAtStart(): boolean {
    return this._openAtStart;
  }

  get sendKey(): 'Enter' | 'Shift+Enter' {
    return this._sendKey;
  }

  readonly onChange = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  private async _load(registry: ISettingRegistry): Promise<void> {
    try {
      const loaded = await registry.load(PLUGIN_ID);
      const read = (): void => {
        const values = loaded.composite as Record<string, unknown>;
        const { policy } = values;
        this._chat = {
          onStop: values.onStop === 'discard' ? 'discard' : 'keep',
          policy: POLICIES.find(known => known === policy) ?? null
        };
        this._openAtStart = values.openAtStart === true;
        this._sendKey = values.sendKey === 'Shift+Enter' ? 'Shift+Enter' : 'Enter';
        this._listeners.forEach(listener => listener());
      };
      loaded.changed.connect(read);
      read();
    } catch (error) {
      console.error('The settings of Stop Chat could not be read.', error);
    }
  }

  private _chat: ChatSettings = { onStop: 'keep', policy: null };
  private _openAtStart = false;
  private _sendKey: 'Enter' | 'Shift+Enter' = 'Enter';
  private _listeners = new Set<() => void>();
}
