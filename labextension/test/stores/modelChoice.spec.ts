/** The choice of a model, what it lacks, and the installation that is looked at until its end. */
import { beforeEach, describe, expect, it } from 'vitest';

import {
  LocalModel,
  LOOK,
  ModelChoice,
  ModelList
} from '../../src/stores/modelChoice';
import { grouped, typed } from '../../src/stores/modelSearch';
import { Welcome } from '../../src/wire/protocol';
import { ScriptedClock } from '../support';
import { MISSING, model, provider, Server } from './modelServer';

const welcome = (change: Partial<Welcome> = {}): Welcome => ({
  type: 'welcome',
  protocol: 1,
  epoch: 'e',
  user: 'u',
  limits: { max_upload_bytes: 32 * 1024 * 1024, max_frame_bytes: 1, max_prompt_length: 1, max_reply_length: 1, max_attachments: 1 },
  models: [MISSING],
  default_model: 'local:smollm2',
  policy: 'queue',
  modes: ['ask'],
  ...change
});

let server: Server;
let clock: ScriptedClock;
let choice: ModelChoice;
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) {
    await Promise.resolve();
  }
};

beforeEach(() => {
  server = new Server();
  clock = new ScriptedClock();
  choice = new ModelChoice({ routes: server, clock });
});

describe('an answer that is older than what is shown', () => {
  const listed = (chosen: string, change: Partial<ModelList> = {}): ModelList => ({
    ...server.models,
    models: [model('openai:a'), model('openai:b')],
    chosen,
    asking: false,
    ...change
  });

  it('of a slow server does not undo what was chosen meanwhile (U8)', async () => {
    let answer: (list: ModelList) => void = () => undefined;
    server.whole = new Promise(resolve => (answer = resolve));
    server.models = listed('openai:a', { asking: true });
    await choice.load();
    await choice.choose('openai:b');
    server.whole = Promise.resolve(listed('openai:b', { recent: ['openai:b'] }));
    answer(listed('openai:a'));
    await settle();
    expect(choice.effective).toBe('openai:b');
    expect(choice.getSnapshot().list?.recent).toEqual(['openai:b']);
  });

  it('of the list itself does not undo what was chosen meanwhile (U8)', async () => {
    const answers: ((list: ModelList) => void)[] = [];
    server.list = () => new Promise(resolve => answers.push(resolve));
    const opened = choice.load();
    const chosen = choice.choose('openai:b');
    await settle();
    answers[1](listed('openai:b'));
    await chosen;
    answers[0](listed('openai:a'));
    await opened;
    expect(choice.effective).toBe('openai:b');
  });
});

describe('what a provider is called', () => {
  it('is known from its models, and from the list once that is there (U2)', async () => {
    server.models.models.push(model('mistralai:m', { label: 'Mistral AI: m' }));
    expect(choice.providerName('mistralai:other')).toBe('mistralai');
    choice.receive({ type: 'welcome', models: server.models.models } as Welcome);
    expect(choice.providerName('mistralai:other')).toBe('Mistral AI');
    expect(choice.providerOf('mistralai:other')).toBeUndefined();
    await choice.load();
    expect(choice.providerName('mistralai:other')).toBe('MISTRALAI');
    expect(choice.providerName('mine:own')).toBe('mine');
  });
});

describe('the choice', () => {
  it('is the server’s until a person chooses, and kept there (U8)', async () => {
    choice.receive(welcome({ models: [model('openai:b')], default_model: 'openai:b' }));
    expect([choice.effective, choice.lack]).toEqual(['openai:b', undefined]);
    expect(server.asked).toEqual([]); // nothing is missing: nothing is asked for
    const done = choice.choose('openai:a');
    expect(choice.effective).toBe('openai:a');
    await done;
    expect(server.asked).toEqual(['choose openai:a', 'list', 'look']);
    expect(choice.effective).toBe('openai:a');
    await choice.choose(null);
    expect(choice.effective).toBe('local:smollm2');
  });

  it('is what is shown, whatever is chosen or given elsewhere meanwhile (U8)', async () => {
    choice.receive(welcome({ models: [model('local:smollm2')] }));
    server.models = { ...server.models, default_model: 'openai:a' };
    expect(choice.effective).toBe('local:smollm2');
    await choice.choose('openai:b');
    choice.receive(welcome({ models: [model('openai:c')], default_model: 'openai:c' }));
    expect(choice.effective).toBe('openai:c');
  });

  it('is told again where the server did not take it (U8)', async () => {
    choice.receive(welcome({ models: [model('openai:b')], default_model: 'openai:b' }));
    server.fails = 'gone';
    await choice.choose('openai:a');
    expect([choice.effective, choice.getSnapshot().failure]).toEqual(['openai:a', 'gone']);
    server.fails = null;
    server.asked = [];
    choice.receive(welcome({ models: [model('openai:b')], default_model: 'openai:b' }));
    expect(choice.effective).toBe('openai:a');
    await settle();
    expect(server.asked[0]).toBe('choose openai:a');
    expect(choice.effective).toBe('openai:a');
  });

  it('counts for nothing where it is locked', async () => {
    server.models = { ...server.models, locked: true, any_model: false };
    await choice.choose('openai:a');
    expect(choice.effective).toBe('local:smollm2');
  });

  it('says what it lacks', async () => {
    choice.receive(welcome());
    expect(choice.lack).toBe('local_model_missing');
    await settle();
    expect(server.asked).toEqual(['list', 'look']);
    void choice.choose('openai:a');
    expect(choice.lack).toBe('missing_key');
    void choice.choose('openai:typed');
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
    expect(await choice.giveKey('openai', 'sk-secret')).toEqual({ tried: true });
    expect(server.asked).toEqual(['key openai 9', 'list', 'look']);
    expect(JSON.stringify(choice)).not.toContain('secret');
  });

  it('that is refused is told, also after the list has come', async () => {
    server.giveKey = () => Promise.reject(new Error('No.'));
    expect(await choice.giveKey('openai', 'sk-secret')).toBeNull();
    expect(choice.getSnapshot().failure).toBe('No.');
    await choice.load();
    expect(choice.getSnapshot().failure).toBe(null);
  });

  it('of a server of one’s own follows its address', async () => {
    server.given = { tried: false, untried: { code: 'forbidden', message: 'No.' } };
    expect(await choice.giveAddress('http://x/v1', 'k')).toEqual(server.given);
    expect(await choice.giveAddress('http://y/v1', '')).toEqual({ tried: false });
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

  it('is waited for by who has begun it, until the model can be used (U6)', async () => {
    server.state = { ...server.state, state: 'installing' };
    await choice.install();
    let ended: boolean | null = null;
    void choice.installed().then(isThere => (ended = isThere));
    await look({ done: 40 });
    expect(ended).toBeNull();
    server.models = { ...server.models, models: [model('local:smollm2')] };
    await look({ state: 'installed' });
    expect(ended).toBe(true);
  });

  it('that was stopped, or has failed, is waited for no longer', async () => {
    server.state = { ...server.state, state: 'installing' };
    await choice.install();
    const ended = choice.installed();
    await look({ state: 'missing' });
    expect(await ended).toBe(false);
  });

  it('of a model that cannot be used all the same is waited for no longer', async () => {
    server.state = { ...server.state, state: 'installing' };
    await choice.install();
    let ended: boolean | null = null;
    void choice.installed().then(isThere => (ended = isThere));
    server.models = {
      ...server.models,
      models: [model('local:smollm2', { available: false, reason: 'missing_package' })]
    };
    await look({ state: 'installed' });
    expect(ended).toBe(false);
  });

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

describe('what is on top of the list', () => {
  it('is the model in use, and then those that were chosen before (U7)', async () => {
    expect(choice.ofLate).toEqual([]);
    await choice.load();
    expect(choice.ofLate).toEqual([]); // nobody has chosen one yet
    server.models.recent = ['openai:a', 'mistralai:typed', 'ollama:m'];
    await choice.load();
    expect(choice.ofLate.map(one => [one.id, one.available, one.reason])).toEqual([
      ['local:smollm2', false, 'local_model_missing'],
      ['openai:a', false, 'missing_key'],
      ['mistralai:typed', false, 'missing_key'],
      ['ollama:m', true, undefined]
    ]);
    server.models.providers[1].key = 'given';
    await choice.choose('mistralai:typed');
    expect(choice.ofLate.map(one => [one.id, one.available]).slice(0, 2)).toEqual([
      ['mistralai:typed', true],
      ['openai:a', false]
    ]);
    server.models.locked = true;
    await choice.load();
    expect(choice.ofLate).toEqual([]);
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
    recent: [],
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
