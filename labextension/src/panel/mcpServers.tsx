/** MCP servers and their tools: where each is, which tools models may use, what it wrote. */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useCallback, useEffect, useId, useState } from 'react';

import { McpListing, McpRoutes, McpServer } from '../stores/agent/mcpRoutes';
import { Act, McpToolLine } from './mcpTool';

export interface McpServersProps {
  first: McpListing;
  routes: McpRoutes;
  trans: TranslationBundle;
  /** Have a tool ask again: in one chat, or in all where that is null. */
  askAgain: (tool: string, chatId: string | null) => Promise<void>;
}

/** While a server starts, it is looked at so often, in milliseconds. */
const LOOK_EACH = 1000;

export function McpServers(props: McpServersProps): JSX.Element {
  const { first, routes, trans } = props;
  const [listing, setListing] = useState(first);
  const [failure, setFailure] = useState('');
  const look = useCallback(async () => {
    try {
      setListing(await routes.list());
    } catch (error) {
      setFailure(wordsOf(error));
    }
  }, [routes]);
  const act = useCallback(
    async (work: () => Promise<unknown>) => {
      setFailure('');
      try {
        await work();
      } catch (error) {
        setFailure(wordsOf(error));
      }
      await look();
    },
    [look]
  );
  const isStarting = listing.servers.some(one => one.state === 'starting');
  useEffect(() => {
    if (!isStarting) {
      return;
    }
    const timer = setInterval(() => void look(), LOOK_EACH);
    return () => clearInterval(timer);
  }, [isStarting, look]);
  const { servers, may_own, locked } = listing;
  return (
    <div className="jp-StopChat-mcp">
      {listing.failure && <p role="alert">{listing.failure}</p>}
      <p role="status">{failure}</p>
      {servers.length === 0 && (
        <p>
          {may_own
            ? trans.__('There are none. Name some in the file stop-chat/mcp.json of Jupyter’s data folder.')
            : trans.__('There are none. Who runs this server decides which there are.')}
        </p>
      )}
      {locked && servers.length > 0 && (
        <p>{trans.__('Who runs this server has each tool asked for each time.')}</p>
      )}
      {servers.map(one => (
        <Server key={one.name} server={one} {...{ act, locked }} {...props} />
      ))}
    </div>
  );
}

function Server(
  props: McpServersProps & { server: McpServer; act: Act; locked: boolean }
): JSX.Element {
  const { server, act, locked, routes, askAgain, trans } = props;
  const { name } = server;
  const [log, setLog] = useState<readonly string[] | null>(null);
  const title = useId();
  return (
    <section aria-labelledby={title} data-state={server.state}>
      <h3 id={title}>{name}</h3>
      <p>
        {kindWords(trans, server)} · <strong>{stateWords(trans, server.state)}</strong>
      </p>
      {server.failure && <p>{server.failure}</p>}
      <div className="jp-StopChat-mcpActions">
        <button
          type="button"
          className="jp-mod-styled jp-mod-minimal"
          aria-label={trans.__('Start %1 anew', name)}
          onClick={() => void act(() => routes.retry(name))}
        >
          {server.state === 'not_started' || server.state === 'idle' ? trans.__('Start') : trans.__('Start anew')}
        </button>
        <button
          type="button"
          className="jp-mod-styled jp-mod-minimal"
          aria-expanded={log !== null}
          aria-label={trans.__('Log of %1', name)}
          onClick={() => {
            if (log !== null) {
              setLog(null);
            } else {
              void act(async () => setLog(await routes.log(name)));
            }
          }}
        >
          {trans.__('Log')}
        </button>
      </div>
      {log !== null && (
        // it is scrolled by keys
        <pre className="jp-StopChat-mcpLog" tabIndex={0} aria-label={trans.__('Log of %1', name)}>
          {log.length > 0 ? log.join('\n') : trans.__('It has written nothing.')}
        </pre>
      )}
      <ul>
        {server.tools.map(tool => (
          <McpToolLine key={tool.name} server={name} {...{ tool, act, locked, routes, askAgain, trans }} />
        ))}
      </ul>
      {server.left_out > 0 && (
        <p>
          {trans._n(
            'Left out: %1 tool more, which there is no room for.',
            'Left out: %1 tools more, which there is no room for.',
            server.left_out
          )}
        </p>
      )}
    </section>
  );
}

function kindWords(trans: TranslationBundle, { kind, source }: McpServer): string {
  if (source === 'settings') {
    return kind === 'http'
      ? trans.__('Over HTTP, from the server’s settings')
      : trans.__('A program, from the server’s settings');
  }
  return kind === 'http' ? trans.__('Over HTTP, your own') : trans.__('A program, your own');
}

function stateWords(trans: TranslationBundle, state: McpServer['state']): string {
  const words: Record<McpServer['state'], string> = {
    not_started: trans.__('starts when an agent needs it'),
    starting: trans.__('starting…'),
    ready: trans.__('ready'),
    idle: trans.__('not running now, as it was not used; starts again when an agent needs it'),
    failed: trans.__('did not start'),
    gone: trans.__('has ended; starts again when an agent needs it')
  };
  return words[state];
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : '');
