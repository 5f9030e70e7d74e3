/** What can be done about a cell that did not stop; it goes away with the cell's end. */
import React, { useLayoutEffect, useRef, useState } from 'react';

import { passLostFocus, usePassFocus } from '../../passFocus';
import { useTools } from '../../context';

type Action = 'interrupt' | 'restart';

export function StillRunning(props: {
  messageId: string;
  callId: string;
  path: string;
  cellId: string;
}): JSX.Element {
  const { agent, trans } = useTools();
  const { messageId, callId, path, cellId } = props;
  const [asked, setAsked] = useState<Action | null>(null);
  const [said, setSaid] = useState('');
  const [failure, setFailure] = useState('');
  const box = useRef<HTMLDivElement>(null);
  const isThere = useRef(true);
  usePassFocus(box);
  useLayoutEffect(() => {
    isThere.current = true;
    return () => {
      isThere.current = false;
    };
  }, []);
  const act = async (action: Action): Promise<void> => {
    setAsked(action);
    setFailure('');
    setSaid('');
    let [words, why] = ['', ''];
    try {
      const done = await agent.actOnKernel(messageId, callId, action, path, cellId);
      words = done && action === 'interrupt' ? trans.__('The kernel was asked once more.') : '';
    } catch (error) {
      const reason = error instanceof Error ? error.message : '';
      why =
        action === 'interrupt'
          ? trans.__('Not interrupted: %1', reason)
          : trans.__('Not restarted: %1', reason);
    }
    if (isThere.current) {
      setAsked(null);
      setSaid(words);
      setFailure(why);
    } else {
      passLostFocus(); // the dialog gave it back to a button that is gone
    }
  };
  const button = (action: Action, label: string, hint: string): JSX.Element => (
    <button
      type="button"
      className="jp-StopChat-action"
      aria-disabled={asked !== null}
      title={hint}
      onClick={() => asked ?? void act(action)}
    >
      {label}
    </button>
  );
  return (
    <div className="jp-StopChat-toolActions" ref={box}>
      {button(
        'interrupt',
        trans.__('Interrupt again'),
        trans.__('Ask the kernel once more to end this cell, and nothing else')
      )}
      {button(
        'restart',
        trans.__('Restart kernel'),
        trans.__('End all that runs in the kernel, and lose its variables')
      )}
      <span role="status">{said}</span>
      {failure && <span role="alert">{failure}</span>}
    </div>
  );
}
