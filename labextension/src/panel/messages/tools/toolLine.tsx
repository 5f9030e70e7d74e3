/** One tool call of a reply: what it does and where it is, and its details, folded in. */
import React, { useState, useSyncExternalStore } from 'react';

import { Approval } from './approval';
import { AsksInput } from './asksInput';
import { argument, callWords, durationWords, isRun, stateWords } from './callWords';
import { Differences } from './difference';
import { StillRunning } from './stillRunning';
import { useDetails } from './useDetails';
import { useTools } from '../../context';
import { LongText } from '../../longText';
import { MissingDetails } from '../missing';
import { ToolCall } from '../../../wire/protocol';

export function ToolLine(props: {
  messageId: string;
  call: ToolCall;
  /** Stop was pressed, or the reply has ended: nothing is asked any more. */
  stopped: boolean;
  /** Some of what it was given or returned is not here. */
  lacks: boolean;
}): JSX.Element {
  const { agent, trans } = useTools();
  const { call, messageId, stopped, lacks } = props;
  const [open, setOpen] = useState(false);
  const words = callWords(trans, call, agent.indexOf);
  const cellId = isRun(call) ? argument(call.args, 'cell_id') : '';
  const asksInput =
    useSyncExternalStore(agent.inputs.subscribe, () => agent.inputs.asks(cellId)) &&
    call.state === 'running';
  const duration = durationWords(trans, call.duration_ms);
  const line = (
    <>
      {words === null ? <code>{call.name}</code> : <span>{words} ·</span>}{' '}
      <span className="jp-StopChat-toolState">{stateWords(trans, call, asksInput)}</span>
      {duration && <span className="jp-StopChat-toolState"> · {duration}</span>}
      {call.state === 'running' && call.progress && (
        <span className="jp-StopChat-toolProgress" title={call.progress}>
          {call.progress}
        </span>
      )}
    </>
  );
  const asks = call.state === 'asked' && call.approval !== undefined && !stopped;
  if (asks) {
    return (
      <div className="jp-StopChat-tool" data-state={call.state}>
        <Approval
          key={`${call.call_id} ${call.approval?.digest}`}
          messageId={messageId}
          call={call}
        />
      </div>
    );
  }
  if (!call.args && !call.result && !lacks) {
    return (
      <div className="jp-StopChat-tool" data-state={call.state}>
        {line}
      </div>
    );
  }
  const shows = call.touches === 'edits' || call.touches === 'runs';
  return (
    <>
      <details
        className="jp-StopChat-tool"
        data-state={call.state}
        onToggle={event => setOpen(event.currentTarget.open)}
      >
        <summary>{line}</summary>
        {open && lacks && <MissingDetails messageId={messageId} />}
        {shows && <Edits messageId={messageId} call={call} open={open} />}
        {call.args && <LongText name={trans.__('Arguments')} text={call.args} />}
        {call.result && <LongText name={trans.__('Result')} text={call.result} />}
      </details>
      {asksInput && <AsksInput cellId={cellId} />}
      {call.state === 'still_running' && isRun(call) && (
        <StillRunning
          messageId={messageId}
          callId={call.call_id}
          path={argument(call.args, 'path')}
          cellId={cellId}
        />
      )}
    </>
  );
}

/** What a call has changed or run, or was not allowed to. */
function Edits(props: { messageId: string; call: ToolCall; open: boolean }): JSX.Element | null {
  const { trans } = useTools();
  const { call, messageId, open } = props;
  const [details, readAgain] = useDetails(messageId, call.call_id, open, call.state);
  if (details === null) {
    return null;
  }
  if (details === 'loading') {
    return <div className="jp-StopChat-differenceNote">{trans.__('Loading…')}</div>;
  }
  if (details === 'failed') {
    return (
      <button
        type="button"
        className="jp-StopChat-action"
        onClick={event => {
          readAgain();
          event.currentTarget.closest('details')?.querySelector('summary')?.focus(); // it goes away
        }}
      >
        {call.touches === 'runs'
          ? trans.__('What ran could not be loaded. Retry')
          : trans.__('The change could not be loaded. Retry')}
      </button>
    );
  }
  const made = details.changes.filter(one => one.state !== 'failed');
  return <Differences changes={made.length > 0 ? made : details.proposed} />;
}
