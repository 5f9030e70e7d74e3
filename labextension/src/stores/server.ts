/** Requests to the chat's HTTP routes on the Jupyter server that this page belongs to. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** Ask one route; an answer that is no success is thrown as an error with a sentence. */
export type Ask = (path: readonly string[], request?: RouteRequest) => Promise<Response>;

export interface RouteRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Record<string, string>;
  body?: object;
  /** A file that is sent as it is. */
  file?: Blob;
  /** How long to wait for an answer, in milliseconds; without it, as long as the browser does. */
  patience?: number;
  /** It is aborted when nobody wants the answer any more. */
  signal?: AbortSignal;
}

/**
 * Return a function that asks the routes.
 *
 * @param unreachable what is said when the server does not answer.
 */
export function asking(settings: ServerConnection.ISettings, unreachable: string): Ask {
  return async (path, { method = 'GET', query = {}, body, file, patience, signal } = {}) => {
    const route = URLExt.join(settings.baseUrl, 'api/stop-chat', ...path.map(encodeURIComponent));
    const init: RequestInit = { method };
    if (body) {
      init.body = JSON.stringify(body);
    } else if (file) {
      init.body = file;
      init.headers = { 'Content-Type': 'application/octet-stream' };
    }
    let response: Response;
    try {
      if (patience !== undefined) {
        init.signal = AbortSignal.timeout(patience);
      }
      if (signal) {
        init.signal = init.signal ? eitherOf(init.signal, signal) : signal;
      }
      const url = route + URLExt.objectToQueryString(query);
      response = await ServerConnection.makeRequest(url, init, settings);
    } catch {
      throw new Error(unreachable);
    }
    if (!response.ok) {
      throw new Error((await sentence(response)) ?? unreachable);
    }
    return response;
  };
}

/** Return a signal that is aborted with the first of two. */
function eitherOf(...signals: AbortSignal[]): AbortSignal {
  const either = new AbortController();
  for (const one of signals) {
    one.addEventListener('abort', () => either.abort(), { signal: either.signal });
    if (one.aborted) {
      either.abort();
    }
  }
  return either.signal;
}

/** The server's own sentence for what went wrong, if there is one. */
async function sentence(response: Response): Promise<string | null> {
  try {
    const body = (await response.json()) as { message?: unknown; said?: unknown } | null;
    const { message, said } = body ?? {};
    if (typeof message !== 'string' || !message) {
      return null;
    }
    return typeof said === 'string' && said ? `${message} (${said})` : message;
  } catch {
    return null;
  }
}
