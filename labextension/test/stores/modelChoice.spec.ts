/** The choice of a model, what it lacks, and the installation that is looked at until its end. */
import { beforeEach, describe, expect, it } from 'vitest';

import {
  grouped,
  LocalModel,
  LOOK,
  ModelChoice,
  ModelList,
  ModelRoutes,
  ProviderInfo,
  typed
} from '../../src/stores/modelChoice';
import { ModelInfo, Welcome } from '../../src/wire/protocol';
import { ScriptedClock } from '../support';

const model = (id: string, change: Partial<ModelInfo> = {}): ModelInfo => ({
  id,
  label: id,
  provider: id.split(':')[0],
  local: id.startsWith('local:'),
  available: true,
  ...change
});

const provider = (name: string, change: Partial<ProviderInfo> = {}): ProviderInfo => ({
  name,
  label: name.toUpperCase(),
  installed: true,
  package: `langchain-${name}`,
  takes_key: true,
  may_give: true,
  ...change
});

const MISSING = model('local:smollm2', { available: false, reason: 'local_model_missing' });

class Server implements ModelRoutes {
  models: ModelList = {
    models: [model('openai:a', { available: false, reason: 'missing_key' }), MISSING],
    providers: [provider('openai'), provider('mistralai', { installed: false })],
    default_model: 'local:smollm2',
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

  whole: Promise<ModelList> = new Promise(() => undefined);

  list = (wait = false) =>
    wait ? (this.asked.push('wait'), this.whole) : this._do('list', this.models);
  giveKey = (name: string, key: string) => this._do(`key ${name} ${key.length}`, undefined);
  withdrawKey = (name: string) => this._do(`no key ${name}`, undefined);
  giveAddress = (address: string) => this._do(`address ${address}`, undefined);
  withdrawAddress = () => this._do('no address', undefined);
  local = (what: 'look' | 'install' | 'stop') => this._do(what, this.state);
}

const welcome = (change: Partial<Welcome> = {}): Welcome => ({
  type: 'welcome',
  protocol: 1,
  epoch: 'e',
  user: 'u',
  limits: { max_frame_bytes: 1, max_prompt_length: 1, max_reply_length: 1, max_attachments: 1 },
  models: [MISSING],
  default_model: 'local:smollm2',
  policy: 'queue',
  ...change
});

let server: Server;
let clock: ScriptedClock;
let choice: ModelChoice;
let remembered: (string | null)[];
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) {
    await Promise.resolve();
  }
};

beforeEach(() => {
  server = new Server();
  clock = new ScriptedClock();
  remembered = [];
  choice = new ModelChoice({
    routes: server,
    clock,
    chosen: null,
    remember: id => remembered.push(id)
  });
});

describe('the choice', () => {
  it('is the server’s until a person chooses', () => {
    choice.receive(welcome({ models: [model('openai:b')], default_model: 'openai:b' }));
    expect([choice.wanted, choice.effective, choice.lack]).toEqual([null, 'openai:b', undefined]);
    expect(server.asked).toEqual([]); // nothing is missing: nothing is asked for
    choice.choose('openai:a');
    expect([choice.wanted, choice.effective]).toEqual(['openai:a', 'openai:a']);
    choice.choose(null);
    expect(choice.effective).toBe('openai:b');
    expect(remembered).toEqual(['openai:a', null]);
  });

  it('counts for nothing where it is locked', async () => {
    choice.choose('openai:a');
    server.models = { ...server.models, locked: true, any_model: false };
    await choice.load();
    expect([choice.wanted, choice.effective]).toEqual([null, 'local:smollm2']);
  });

  it('says what it lacks', async () => {
    choice.receive(welcome());
    expect(choice.lack).toBe('local_model_missing');
    await settle();
    expect(server.asked).toEqual(['list', 'look']);
    choice.choose('openai:a');
    expect(choice.lack).toBe('missing_key');
    choice.choose('openai:typed');
    expect(choice.lack).toBe(undefined);
  });
});

describe('a server that is slow to list its models', () => {
  it('delays nothing, and its models come behind (T14)', async () => {
    let tell: (list: ModelList) => void = () => undefined;
    server.whole = new Promise(resolve => (tell = resolve));
    const whole = { ...server.models, models: [...server.models.models, model('ollama:late')] };
    server.models = { ...server.models, asking: true };
    await choice.load();
    await choice.load();
    expect(choice.getSnapshot().models).toEqual(server.models.models);
    expect(server.asked.filter(one => one === 'wait')).toEqual(['wait']);
    tell(whole);
    await settle();
    expect(choice.getSnapshot().models).toContainEqual(model('ollama:late'));
    expect(choice.getSnapshot().list?.asking).toBeFalsy();
  });

  it('and does not answer at last, leaves what there is (T14)', async () => {
    server.whole = Promise.reject(new Error('No.'));
    server.models = { ...server.models, asking: true };
    await choice.load();
    await settle();
    expect(choice.getSnapshot().models).toEqual(server.models.models);
    expect(choice.getSnapshot().failure).toBe(null);
  });

  it('lists thousands, of which a search finds each (T14)', () => {
    const models = Array.from({ length: 3000 }, (_, n) => model(`openai:m${n}`));
    const found = grouped({ ...server.models, models }, 'm2999');
    expect(JSON.stringify(found)).toContain('openai:m2999');
    expect(JSON.stringify(grouped({ ...server.models, models }, ''))).toContain('openai:m2999');
  });
});

describe('a key', () => {
  it('goes through, and the list comes anew', async () => {
    expect(await choice.giveKey('openai', 'sk-secret')).toBe(true);
    expect(server.asked).toEqual(['key openai 9', 'list', 'look']);
    expect(JSON.stringify(choice)).not.toContain('secret');
  });

  it('that is refused is told, also after the list has come', async () => {
    server.giveKey = () => Promise.reject(new Error('No.'));
    expect(await choice.giveKey('openai', 'sk-secret')).toBe(false);
    expect(choice.getSnapshot().failure).toBe('No.');
    await choice.load();
    expect(choice.getSnapshot().failure).toBe(null);
  });

  it('of a server of one’s own follows its address', async () => {
    await choice.giveAddress('http://x/v1', 'k');
    await choice.giveAddress('http://y/v1', '');
    expect(server.asked.filter(one => /key|address/.test(one))).toEqual([
      'address http://x/v1',
      'key openai_compatible 1',
      'address http://y/v1'
    ]);
  });
});

describe('an installation', () => {
  beforeEach(async () => {
    await choice.load();
    server.asked = [];
  });
  const look = async (change: Partial<LocalModel>): Promise<LocalModel | null> => {
    server.state = { ...server.state, ...change };
    clock.advance(LOOK);
    await settle();
    return choice.getSnapshot().local;
  };

  it('is looked at until it has ended, and then the list comes anew', async () => {
    server.state = { ...server.state, state: 'installing' };
    const begun = choice.install();
    expect(choice.getSnapshot().local?.state).toBe('installing'); // at the press
    await begun;
    expect((await look({ done: 40 }))?.done).toBe(40);
    server.models = { ...server.models, models: [model('local:smollm2')] };
    expect((await look({ state: 'installed' }))?.state).toBe('installed');
    expect(choice.lack).toBe(undefined);
    expect(clock.waiting).toBe(0);
  });

  it('that fails says why, and can be begun again', async () => {
    server.state = { ...server.state, state: 'installing' };
    await choice.install();
    const error = { code: 'disk_full' as const, message: 'Full.' };
    expect((await look({ state: 'missing', error }))?.error?.message).toBe('Full.');
    expect(clock.waiting).toBe(0);
    server.state = { ...server.state, state: 'installing', error: undefined };
    await choice.install();
    expect(choice.getSnapshot().local?.error).toBe(undefined);
  });

  it('that cannot be begun is not shown as begun', async () => {
    server.fails = 'Not allowed.';
    await choice.install();
    expect(choice.getSnapshot().local?.state).toBe('missing');
    expect(choice.getSnapshot().failure).toBe('Not allowed.');
  });

  it('is stopped, and says so at the press', async () => {
    server.state = { ...server.state, state: 'installing' };
    await choice.install();
    server.state = { ...server.state, state: 'missing' };
    const stopping = choice.stopInstalling();
    expect(choice.getSnapshot().local?.state).toBe('stopping');
    await stopping;
    expect(choice.getSnapshot().local?.state).toBe('missing');
    await look({});
    expect(clock.waiting).toBe(0);
  });

  it('goes on while the server cannot be reached', async () => {
    server.state = { ...server.state, state: 'installing' };
    await choice.install();
    server.fails = 'gone';
    await look({});
    await look({});
    server.fails = null;
    expect((await look({ done: 77 }))?.done).toBe(77);
  });

  it('that another page began is found', async () => {
    server.state = { ...server.state, state: 'installing' };
    await choice.load();
    expect((await look({ done: 5 }))?.done).toBe(5);
  });
});

describe('the list', () => {
  const list: ModelList = {
    models: [model('team:default'), model('openai:a'), model('mistralai:m'), MISSING],
    providers: [
      provider('openai'),
      provider('mistralai', { installed: false }),
      provider('ollama', { label: 'Ollama' })
    ],
    locked: false,
    any_model: true,
    model_files: true
  };
  const names = (search: string) =>
    grouped(list, search).map(([one, those]) => [one?.name ?? '', those.map(each => each.id)]);

  it('has groups, without what is not installed', () => {
    expect(names('')).toEqual([
      ['', ['team:default']],
      ['openai', ['openai:a']],
      ['ollama', []]
    ]);
  });

  it('is searched', () => {
    expect(names(' OPENAI ')).toEqual([['openai', ['openai:a']]]);
    expect(names('olla')).toEqual([['ollama', []]]);
    expect(names('nothing')).toEqual([]);
  });

  it('takes what is typed for an id where any may be used', () => {
    expect(typed(list, ' openai:gpt-x ')).toBe('openai:gpt-x');
    expect(typed(list, 'local:/a b/c.gguf')).toBe('local:/a b/c.gguf');
    for (const text of ['', 'gpt', ':x', 'openai:', 'open ai:x']) {
      expect(typed(list, text)).toBe(null);
    }
    expect(typed({ ...list, any_model: false }, 'openai:gpt-x')).toBe(null);
  });
});
