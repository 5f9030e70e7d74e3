/** Open the socket of the Jupyter server that this page belongs to. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { SocketLike } from './socket';

export function connectWith(settings: ServerConnection.ISettings): SocketLike {
  let url = URLExt.join(settings.wsUrl, 'api/stop-chat/ws');
  if (settings.appendToken && settings.token) {
    url += `?token=${encodeURIComponent(settings.token)}`;
  }
  return new settings.WebSocket(url);
}
