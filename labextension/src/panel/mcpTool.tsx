/** One tool of an MCP server: whether models may use it, and whether it asks before it acts. */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useRef, useState } from 'react';

import { LeftOut, McpRoutes, McpTool } from '../stores/agent/mcpRoutes';

/** Does something, and looks at all of it anew. */
export type Act = (work: () => Promise<unknown>) => Promise<void>;

export interface McpToolProps {
  server: string;
  tool: McpTool;
  routes: McpRoutes;
  trans: TranslationBundle;
  act: Act;
  /** Each tool is asked for each time, whoever allows it. */
  locked: boolean;
  /** Have a tool ask again: in one chat, or in all where that is null. */
  askAgain: (tool: string, chatId: string | null) => Promise<void>;
}

/** What a tool may do unasked; `chats`: in some of them. */
type May = 'ask' | 'chats' | 'always';

export function McpToolLine(props: McpToolProps): JSX.Element {
  const { server, tool, act, locked, routes, trans, askAgain } = props;
  const [wanted, setWanted] = useState<boolean | null>(null);
  const [chosen, setChosen] = useState<May | null>(null);
  // what is to be allowed, as it was seen: whoever only looks through the choices allows nothing
  const [unsure, setUnsure] = useState<string | null>(null);
  const choices = useRef<HTMLSelectElement>(null);
  const chats = tool.allowed_chats.length;
  const may: May = locked ? 'ask' : tool.allowed ? 'always' : chats > 0 ? 'chats' : 'ask';
  const again = async (): Promise<void> => {
    if (tool.allowed) {
      await askAgain(tool.name, null);
    }
    for (const chat of tool.allowed_chats) {
      await askAgain(tool.name, chat);
    }
  };
  const carryOut = (choice: May, work: () => Promise<void>): void => {
    setUnsure(null);
    setChosen(choice); // at once; how it is by then, once the server has said it
    void act(work).then(() => setChosen(null));
  };
  const choose = (choice: May): void => {
    if (choice === may) {
      setUnsure(null);
    } else if (choice === 'always') {
      setUnsure(tool.digest); // an arrow key alone chooses in a closed list
    } else {
      carryOut(choice, again);
    }
  };
  const allow = (digest: string): void => {
    choices.current?.focus(); // the button goes
    carryOut('always', () => routes.allow(server, tool.name, digest));
  };
  return (
    <li>
      <label>
        <input
          type="checkbox"
          checked={wanted ?? tool.on}
          onChange={event => {
            const { checked } = event.currentTarget;
            setWanted(checked); // likewise
            void act(() => routes.switch(server, tool.name, checked)).then(() => setWanted(null));
          }}
        />{' '}
        <code>{tool.own_name}</code>
      </label>{' '}
      <select
        ref={choices}
        aria-label={trans.__('Before %1 acts', tool.own_name)}
        disabled={locked}
        value={chosen ?? (unsure !== null && !locked ? 'always' : may)}
        onChange={event => choose(event.currentTarget.value as May)}
      >
        <option value="ask">{trans.__('Ask each time')}</option>
        {may === 'chats' && (
          <option value="chats">
            {trans._n('Allowed in %1 chat', 'Allowed in %1 chats', chats)}
          </option>
        )}
        <option value="always">{trans.__('Allow always')}</option>
      </select>
      {unsure !== null && !locked && (
        <button
          type="button"
          className="jp-mod-styled jp-mod-minimal"
          aria-label={trans.__('Confirm: allow %1 always', tool.own_name)}
          onClick={() => allow(unsure)}
        >
          {trans.__('Confirm')}
        </button>
      )}
      {tool.left_out && <div>{leftOutWords(trans, tool.left_out)}</div>}
      {tool.left_out_arguments.length > 0 && (
        <div>
          {trans.__('Left out of what it takes: %1', tool.left_out_arguments.join(', '))}
        </div>
      )}
      {tool.description && <div className="jp-StopChat-mcpWords">{tool.description}</div>}
    </li>
  );
}

function leftOutWords(trans: TranslationBundle, why: LeftOut): string {
  return why === 'no_room'
    ? trans.__('Left out: a request has room for 128 tools. Switch others off to have it in.')
    : trans.__('Left out: it needs an argument whose name not every provider takes.');
}
