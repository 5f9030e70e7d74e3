/**
 * Which models there are, which one is chosen, and how the installation of the local one goes.
 *
 * It imports nothing of JupyterLab or React, and keeps no key: it only passes it on.
 */
import { Clock } from '../wire/clock';
import { ErrorCode, ErrorInfo, ModelInfo, ServerFrame } from '../wire/protocol';

/** How often an installation is looked at, in milliseconds. */
export const LOOK = 400;

/** The model that is installed from the page. */
export const BUILT_IN = 'local:smollm2';
export const COMPATIBLE = 'openai_compatible';

export interface ProviderInfo {
  name: string;
  label: string;
  installed: boolean;
  package: string;
  takes_key: boolean;
  key?: 'settings' | 'environment' | 'given';
  may_give: boolean;
  base_url?: string;
  /** The provider's page on which keys are made, and that on which one pays. */
  keys_url?: string;
  account_url?: string;
}

export interface ModelList {
  models: ModelInfo[];
  providers: ProviderInfo[];
  default_model?: string;
  /** What the person has chosen, if they have, and what they chose before, newest first. */
  chosen?: string;
  recent: string[];
  locked: boolean;
  any_model: boolean;
  model_files: boolean;
  /** A server that lists its own models has not answered yet. */
  asking?: boolean;
}

export interface LocalModel {
  state: 'missing' | 'installing' | 'stopping' | 'installed';
  done: number;
  total: number;
  may_install: boolean;
  error?: ErrorInfo;
}

/** What became of a key: its provider took it, or it could not be tried, and why if there is a reason. */
export interface KeyGiven {
  tried: boolean;
  untried?: ErrorInfo;
}

/** The server's side; what goes wrong is thrown as an error with a sentence. */
export interface ModelRoutes {
  /** @param wait for the servers that list their own models. */
  list: (wait?: boolean) => Promise<ModelList>;
  /** Choose a model for all prompts that name none; null leaves it to the server. */
  choose: (model: string | null) => Promise<void>;
  giveKey: (provider: string, key: string) => Promise<KeyGiven>;
  withdrawKey: (provider: string) => Promise<void>;
  giveAddress: (address: string) => Promise<void>;
  withdrawAddress: () => Promise<void>;
  local: (what: 'look' | 'install' | 'stop') => Promise<LocalModel>;
}

export interface ModelState {
  /** All that is known; null before it was asked for. */
  readonly list: ModelList | null;
  /** The models that the server named when it was connected to: enough for a label. */
  readonly models: readonly ModelInfo[];
  readonly defaultModel: string | null;
  /** The person's choice; null leaves it to the server. */
  readonly chosen: string | null;
  readonly local: LocalModel | null;
  /** What went wrong last, in a sentence. */
  readonly failure: string | null;
}

export interface ModelChoiceOptions {
  routes: ModelRoutes;
  clock: Clock;
}

export class ModelChoice {
  constructor(private _options: ModelChoiceOptions) {
    const none = { list: null, defaultModel: null, chosen: null, local: null, failure: null };
    this._state = { models: [], ...none };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  readonly getSnapshot = (): ModelState => this._state;

  /**
   * The model that the next prompt gets and asks for: the one that is shown, whatever was chosen
   * elsewhere meanwhile; null where none is known.
   */
  get effective(): string | null {
    const { list, chosen, defaultModel } = this._state;
    const fixed = list?.locked ? null : chosen;
    return fixed ?? defaultModel;
  }

  /** Whether the next prompt's model can call tools, where that is known. */
  get callsTools(): boolean | undefined {
    return this.info(this.effective)?.tool_calling;
  }

  /** What is known of a model. */
  info(id: string | null): ModelInfo | undefined {
    return this._state.models.find(model => model.id === id);
  }

  /** What is known of a model's provider, once the list was asked for. */
  providerOf(id: string | null | undefined): ProviderInfo | undefined {
    const name = id?.split(':')[0];
    return this._state.list?.providers.find(provider => provider.name === name);
  }

  /** What a model's provider is called. */
  providerName(id: string): string {
    const name = id.split(':')[0];
    const like = this._state.models.find(model => model.provider === name && !model.local);
    const label = like && like.label !== like.id ? like.label.split(':')[0] : name;
    return this.providerOf(id)?.label ?? label;
  }

  /** The model in use and those that were chosen before, once the list is there. */
  get ofLate(): ModelInfo[] {
    const { list } = this._state;
    if (!list || list.locked || list.recent.length === 0) {
      return [];
    }
    const ids = [this.effective, ...list.recent].filter(id => id !== null);
    return [...new Set(ids)].map(id => this.info(id) ?? this._unlisted(id));
  }

  /** Describe a model that was typed. */
  private _unlisted(id: string): ModelInfo {
    const provider = this.providerOf(id);
    const lacksKey = provider?.takes_key && !provider.key;
    const lack = { available: false, reason: 'missing_key' } as const;
    const [name] = id.split(':');
    const label = provider ? `${provider.label}: ${id.slice(name.length + 1)}` : id;
    const about = { id, label, provider: name, local: name === 'local' };
    return { ...about, ...(lacksKey ? lack : { available: true }) };
  }

  /** Why the next prompt would fail; undefined when it would not, or nobody knows. */
  get lack(): ErrorCode | undefined {
    const info = this.info(this.effective);
    return info && !info.available ? info.reason : undefined;
  }

  /** Hear what the server tells at each connection. */
  receive(frame: ServerFrame): void {
    if (frame.type === 'welcome') {
      const defaultModel = frame.default_model ?? null;
      // what was chosen in another page meanwhile counts from now on, unless one chose here as well
      const unsaved = this._unsaved;
      this._set({ models: frame.models ?? [], defaultModel, chosen: unsaved?.id ?? null });
      if (unsaved) {
        void this.choose(unsaved.id);
        return;
      }
      if (this._state.list || this.lack) {
        void this.load();
      }
    }
  }

  /** Choose a model: at once here, and on the server for every page and notebook. */
  async choose(id: string | null): Promise<void> {
    const choice = { id };
    this._unsaved = choice;
    this._set({ chosen: id });
    await this._change(async () => {
      await this._options.routes.choose(id);
      if (this._unsaved === choice) {
        this._unsaved = null;
      }
    });
  }

  tell(failure: string | null): void {
    this._set({ failure });
  }

  /** Ask the server what there is now. */
  async load(): Promise<void> {
    const asked = (this._loads += 1);
    await this._attempt(async () => {
      const [list, local] = await Promise.all([
        this._options.routes.list(),
        this._options.routes.local('look')
      ]);
      if (asked !== this._loads) {
        return; // what is asked later knows more, in whichever order the answers come
      }
      this._show(list);
      this._set({ local });
      this._watch();
    });
  }

  /** Show what there is, and once a slow server has answered, what that has as well. */
  private _show(list: ModelList): void {
    const defaultModel = list.default_model ?? null;
    const chosen = this._unsaved ? this._unsaved.id : (list.chosen ?? null);
    this._set({ list, models: list.models, defaultModel, chosen });
    if (list.asking && !this._isWaiting) {
      void this._wait();
    }
  }

  /** Ask once more how much a model takes at once: the server knows when it was used. */
  learnSize(id: string): void {
    if (!this._sized.has(id) && this.info(id)?.max_input_tokens === undefined) {
      this._sized.add(id);
      void this.load();
    }
  }

  private async _wait(): Promise<void> {
    this._isWaiting = true;
    try {
      let changes: number;
      let whole: ModelList;
      do {
        changes = this._changes;
        whole = await this._options.routes.list(true);
      } while (changes !== this._changes); // it is from before what was chosen or given meanwhile
      this._isWaiting = false;
      this._show({ ...whole, asking: false }); // it was waited for once
    } catch {
      this._isWaiting = false; // what was shown before stays
    }
  }

  /** Give a key, which is tried; return what became of it, or null where it was refused. */
  async giveKey(provider: string, key: string): Promise<KeyGiven | null> {
    let given: KeyGiven | null = null;
    await this._change(async () => {
      given = await this._options.routes.giveKey(provider, key);
    });
    return given;
  }

  withdrawKey(provider: string): Promise<boolean> {
    return this._change(() => this._options.routes.withdrawKey(provider));
  }

  /**
   * Give the address of an OpenAI-compatible server, and its key if it has one; return what became
   * of the key, or null where one of both was refused.
   */
  async giveAddress(address: string, key: string): Promise<KeyGiven | null> {
    const { routes } = this._options;
    let given: KeyGiven | null = null;
    await this._change(async () => {
      await routes.giveAddress(address);
      given = key ? await routes.giveKey(COMPATIBLE, key) : { tried: false };
    });
    return given;
  }

  withdrawAddress(): Promise<boolean> {
    return this._change(() => this._options.routes.withdrawAddress());
  }

  /** Install the local model. */
  async install(): Promise<void> {
    const { local } = this._state;
    if (local) {
      this._set({ local: { ...local, state: 'installing', done: 0, error: undefined } });
    }
    await this._attempt(async () => {
      this._set({ local: await this._options.routes.local('install') });
      this._watch();
    }).then(begun => begun || this._set({ local }));
  }

  /** Wait for the end of an installation; tell whether the local model can be used then. */
  installed(): Promise<boolean> {
    return new Promise(resolve => {
      let before: ModelList | null = null;
      const look = (): void => {
        const { list, local } = this._state;
        const isThere = local?.state === 'installed';
        before = isThere ? (before ?? list) : null; // a later list tells whether it can be used
        const works = isThere && this.info(BUILT_IN)?.available === true;
        if (works || local?.state === 'missing' || (isThere && list !== before)) {
          forget();
          resolve(works);
        }
      };
      const forget = this.subscribe(look);
      look();
    });
  }

  /** Stop installing it. */
  async stopInstalling(): Promise<void> {
    const { local } = this._state;
    if (local) {
      this._set({ local: { ...local, state: 'stopping' } });
    }
    await this._attempt(async () => {
      this._set({ local: await this._options.routes.local('stop') });
    });
  }

  dispose(): void {
    this._unwatch();
    this._listeners.clear();
  }

  /** Look at an installation again and again until it has ended. */
  private _watch(): void {
    this._unwatch();
    const state = this._state.local?.state;
    if (state === 'installing' || state === 'stopping') {
      this._timer = this._options.clock.after(LOOK, () => void this._look());
    }
  }

  private _unwatch(): void {
    if (this._timer !== null) {
      this._options.clock.cancel(this._timer);
      this._timer = null;
    }
  }

  private async _look(): Promise<void> {
    let local: LocalModel;
    try {
      local = await this._options.routes.local('look');
    } catch {
      local = this._state.local as LocalModel; // it goes on, whether we see it or not
    }
    this._set({ local });
    if (local.state === 'installed') {
      await this.load();
    } else {
      this._watch();
    }
  }

  /** The models that were asked about once more. */
  private _sized = new Set<string>();
  /** A choice that the server has not taken yet. */
  private _unsaved: { id: string | null } | null = null;
  /** A second look waits for slow servers. */
  private _isWaiting = false;
  /** How often the list was asked for, and how many changes were sent to the server. */
  private _loads = 0;
  private _changes = 0;

  private async _change(what: () => Promise<void>): Promise<boolean> {
    const done = await this._attempt(what);
    this._changes += 1;
    const { failure } = this._state;
    await this.load();
    if (!done) {
      this._set({ failure });
    }
    return done;
  }

  private async _attempt(what: () => Promise<void>): Promise<boolean> {
    this._set({ failure: null });
    try {
      await what();
      return true;
    } catch (error) {
      this._set({ failure: error instanceof Error ? error.message : String(error) });
      return false;
    }
  }

  private _set(change: Partial<ModelState>): void {
    this._state = { ...this._state, ...change };
    [...this._listeners].forEach(listener => listener());
  }

  private _state: ModelState;
  private _timer: unknown = null;
  private _listeners = new Set<() => void>();
}
