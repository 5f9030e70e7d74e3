/** Reach the chat on the Jupyter server that this page belongs to. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { SocketLike } from '../wire/socket';

export function connectWith(settings: ServerConnection.ISettings): SocketLike {
  let url = URLExt.join(settings.wsUrl, 'api/stop-chat/ws');
  if (settings.appendToken && settings.token) {
    url += `?token=${encodeURIComponent(settings.token)}`;
  }
  return new settings.WebSocket(url);
}

/** A server that has not said by then whether it has the chat is not asked further. */
const PATIENCE = 10_000;

/** Tell whether the server is there, and the chat is not: it was turned off there. */
export async function isOffOn(settings: ServerConnection.ISettings): Promise<boolean> {
  const url = URLExt.join(settings.baseUrl, 'api/stop-chat/health');
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    const response = await ServerConnection.makeRequest(url, { signal }, settings);
    return response.status === 404;
  } catch {
    return false;
  }
}
