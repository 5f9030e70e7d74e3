/** The server's side of the choice of a model, as a test has it. */
import {
  KeyGiven,
  LocalModel,
  ModelList,
  ModelRoutes,
  ProviderInfo
} from '../../src/stores/modelChoice';
import { ModelInfo } from '../../src/wire/protocol';

export const model = (id: string, change: Partial<ModelInfo> = {}): ModelInfo => ({
  id,
  label: id,
  provider: id.split(':')[0],
  local: id.startsWith('local:'),
  available: true,
  ...change
});

export const provider = (name: string, change: Partial<ProviderInfo> = {}): ProviderInfo => ({
  name,
  label: name.toUpperCase(),
  installed: true,
  package: `langchain-${name}`,
  takes_key: true,
  may_give: true,
  ...change
});

export const MISSING = model('local:smollm2', { available: false, reason: 'local_model_missing' });

export class Server implements ModelRoutes {
  models: ModelList = {
    models: [model('openai:a', { available: false, reason: 'missing_key' }), MISSING],
    providers: [provider('openai'), provider('mistralai', { installed: false })],
    default_model: 'local:smollm2',
    recent: [],
    locked: false,
    any_model: true,
    model_files: true
  };
  state: LocalModel = { state: 'missing', done: 0, total: 100, may_install: true };
  asked: string[] = [];
  fails: string | null = null;

  private _do<T>(what: string, answer: T): Promise<T> {
    this.asked.push(what);
    return this.fails ? Promise.reject(new Error(this.fails)) : Promise.resolve(answer);
  }

  given: KeyGiven = { tried: true };
  whole: Promise<ModelList> = new Promise(() => undefined);

  list = (wait = false) =>
    wait ? (this.asked.push('wait'), this.whole) : this._do('list', this.models);
  choose = (id: string | null) => {
    const told = this._do(`choose ${id}`, undefined);
    if (!this.fails) {
      this.models = { ...this.models, chosen: id ?? undefined };
    }
    return told;
  };
  giveKey = (name: string, key: string) => this._do(`key ${name} ${key.length}`, this.given);
  withdrawKey = (name: string) => this._do(`no key ${name}`, undefined);
  giveAddress = (address: string) => this._do(`address ${address}`, undefined);
  withdrawAddress = () => this._do('no address', undefined);
  local = (what: 'look' | 'install' | 'stop') => this._do(what, this.state);
}
