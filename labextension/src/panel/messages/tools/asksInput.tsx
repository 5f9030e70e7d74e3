/** What can be done about a cell that asks its person something; it goes away with the answer. */
import React, { useRef } from 'react';

import { usePassFocus } from '../../passFocus';
import { useTools } from '../../context';

export function AsksInput(props: { cellId: string }): JSX.Element {
  const { agent, trans } = useTools();
  const box = useRef<HTMLDivElement>(null);
  usePassFocus(box);
  return (
    <div className="jp-StopChat-toolActions" role="status" ref={box}>
      <button
        type="button"
        className="jp-StopChat-action"
        onClick={() => void agent.inputs.goTo(props.cellId)}
      >
        {trans.__('Answer it in the notebook')}
      </button>
    </div>
  );
}
