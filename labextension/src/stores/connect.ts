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

/** How long to wait for the server to say whether it has the chat, in milliseconds. */
const PATIENCE = 10_000;

/** Tell whether the server answers but has no chat: it was turned off there. */
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
