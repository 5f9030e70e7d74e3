/** Whether the model may use tools: a switch beside the model, and what it means, said once. */
import React, { useEffect, useState } from 'react';

import { focusInput, useModels, useSettings, useSnapshot, useTools } from '../context';
import { isBusy } from '../../chat/selectors';
import { hasAgent } from '../../chat/tools/mode';

/** Return whether the next prompt lets the model use tools. */
function useMode(): 'ask' | 'agent' {
  const { controller } = useTools();
  useSnapshot();
  useSettings();
  useModels();
  return controller.perChat.effectiveMode;
}

export function ModeSwitch(): JSX.Element | null {
  const { controller, models, trans } = useTools();
  const { welcome } = useSnapshot();
  const mode = useMode();
  if (!hasAgent(welcome)) {
    return null;
  }
  const cannot = models.callsTools === false;
  const isAgent = mode === 'agent';
  const title = cannot
    ? trans.__('This model cannot use tools')
    : isAgent
      ? trans.__('The model may use tools: it reads, and asks before it changes anything')
      : trans.__('The model only answers. Click to let it use tools');
  return (
    <button
      type="button"
      role="switch"
      className="jp-StopChat-mode"
      aria-checked={isAgent}
      aria-label={trans.__('Agent')}
      aria-disabled={cannot}
      title={title}
      onClick={() => {
        if (!cannot) {
          controller.perChat.setMode(isAgent ? 'ask' : 'agent');
          focusInput();
        }
      }}
    >
      {isAgent ? trans.__('Agent') : trans.__('Ask')}
    </button>
  );
}

/** Say what an agent may do, the first time that one is about to be asked. */
export function AgentWords(): JSX.Element | null {
  const { agent, controller, trans } = useTools();
  const mode = useMode();
  const [told, setTold] = useState(agent.isTold);
  const { chat } = useSnapshot();
  const isUsed = mode === 'agent' && !told && isBusy(chat);
  useEffect(() => {
    if (isUsed) {
      agent.noteTold(); // it stood there as the prompt was sent
      setTold(true);
    }
  }, [isUsed, agent]);
  if (mode !== 'agent' || told) {
    return null;
  }
  const end = (): void => {
    agent.noteTold();
    setTold(true);
    focusInput();
  };
  return (
    <div className="jp-StopChat-agentWords" role="note">
      <p>
        {trans.__(
          'As an agent, the model may read your notebooks and files here. Before it changes or runs anything, it shows you what, and waits until you allow it. Stop ends all of it at once; below each reply, Undo takes back what it changed.'
        )}
      </p>
      <div>
        <button type="button" className="jp-StopChat-action" onClick={end}>
          {trans.__('Use the agent')}
        </button>
        <button
          type="button"
          className="jp-StopChat-action"
          onClick={() => {
            controller.perChat.setMode('ask');
            focusInput();
          }}
        >
          {trans.__('Only ask')}
        </button>
      </div>
    </div>
  );
}
