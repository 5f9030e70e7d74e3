/** The HTTP routes of models, keys and the local model on the Jupyter server of this page. */
import { ServerConnection } from '@jupyterlab/services';
import { URLExt } from '@jupyterlab/coreutils';

import { COMPATIBLE, ModelRoutes } from './modelChoice';
import { sentence } from './routes';

/**
 * @param unreachable what is said when the server does not answer.
 */
export function modelRoutesOf(
  settings: ServerConnection.ISettings,
  unreachable: string
): ModelRoutes {
  const ask = async (
    path: readonly string[],
    method = 'GET',
    body?: object,
    wait = false
  ): Promise<Response> => {
    const place = URLExt.join(settings.baseUrl, 'api/stop-chat', ...path.map(encodeURIComponent));
    const url = wait ? `${place}?wait=1` : place;
    const init = { method, ...(body ? { body: JSON.stringify(body) } : {}) };
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, settings);
    } catch {
      throw new Error(unreachable);
    }
    if (!response.ok) {
      throw new Error((await sentence(response)) ?? unreachable);
    }
    return response;
  };
  const local = { look: 'GET', install: 'POST', stop: 'DELETE' };
  return {
    list: async (wait = false) => (await ask(['models'], 'GET', undefined, wait)).json(),
    giveKey: async (provider, key) => {
      await ask(['providers', provider, 'key'], 'PUT', { key });
    },
    takeKeyBack: async provider => {
      await ask(['providers', provider, 'key'], 'DELETE');
    },
    giveAddress: async address => {
      await ask(['providers', COMPATIBLE, 'address'], 'PUT', { base_url: address });
    },
    takeAddressBack: async () => {
      await ask(['providers', COMPATIBLE, 'address'], 'DELETE');
    },
    local: async what => (await ask(['local-model'], local[what])).json()
  };
}
