/** The HTTP routes of the chats on the Jupyter server that this page belongs to. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { ChatRoutes, searchable } from './history';
import { Chat } from '../wire/protocol';

/** A server that has not answered for so long is not reached, in milliseconds. */
const PATIENCE = 120_000;

/**
 * @param unreachable what is said when the server does not answer.
 */
export function routesOf(settings: ServerConnection.ISettings, unreachable: string): ChatRoutes {
  const ask = async (
    path: readonly string[],
    query: Record<string, string> = {},
    init: RequestInit = {}
  ): Promise<Response> => {
    const route = ['api/stop-chat/chats', ...path.map(encodeURIComponent)];
    const url = URLExt.join(settings.baseUrl, ...route) + URLExt.objectToQueryString(query);
    let response: Response;
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      response = await ServerConnection.makeRequest(url, { ...init, signal }, settings);
    } catch {
      throw new Error(unreachable);
    }
    if (!response.ok) {
      throw new Error((await sentence(response)) ?? unreachable);
    }
    return response;
  };
  return {
    list: async ({ limit, before, query }) => {
      const asked = {
        limit: String(limit),
        ...(before ? { before } : {}),
        ...(query ? { query: searchable(query) } : {})
      };
      return (await (await ask([], asked)).json()).chats as Chat[];
    },
    rename: async (chatId, title) => {
      await ask([chatId], {}, { method: 'PATCH', body: JSON.stringify({ title }) });
    },
    remove: async chatId => {
      await ask([chatId], {}, { method: 'DELETE' });
    },
    download: async (chatId, format) => (await ask([chatId, 'export'], { format })).blob()
  };
}

/** The server's own sentence for what went wrong, if there is one. */
export async function sentence(response: Response): Promise<string | null> {
  try {
    const body = await response.json();
    return typeof body.message === 'string' && body.message ? body.message : null;
  } catch {
    return null;
  }
}
