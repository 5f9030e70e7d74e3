/** The HTTP routes of models, keys and the local model. */
import { COMPATIBLE, KeyGiven, LocalModel, ModelList, ModelRoutes } from './modelChoice';
import { Ask } from './server';

export function modelRoutesOf(ask: Ask): ModelRoutes {
  const local = { look: 'GET', install: 'POST', stop: 'DELETE' } as const;
  return {
    list: async (wait = false) => {
      const answer = await ask(['models'], wait ? { query: { wait: '1' } } : {});
      return (await answer.json()) as ModelList;
    },
    choose: async model => {
      await ask(['models', 'choice'], model ? { method: 'PUT', body: { model } } : { method: 'DELETE' });
    },
    giveKey: async (provider, key) => {
      const answer = await ask(['providers', provider, 'key'], { method: 'PUT', body: { key } });
      return (await answer.json()) as KeyGiven;
    },
    withdrawKey: async provider => {
      await ask(['providers', provider, 'key'], { method: 'DELETE' });
    },
    giveAddress: async address => {
      await ask(['providers', COMPATIBLE, 'address'], {
        method: 'PUT',
        body: { base_url: address }
      });
    },
    withdrawAddress: async () => {
      await ask(['providers', COMPATIBLE, 'address'], { method: 'DELETE' });
    },
    local: async what => {
      const answer = await ask(['local-model'], { method: local[what] });
      return (await answer.json()) as LocalModel;
    }
  };
}
