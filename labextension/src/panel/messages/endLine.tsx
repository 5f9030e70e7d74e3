/** The line below a reply that tells how it ended, and what can be done about it. */
import React, { useLayoutEffect } from 'react';

import { focusInput, useSettings, useTools } from '../context';
import { finishWords, goesOn, reasonWords, receiptWords } from './endWords';
import { ErrorDetails } from '../errorDetails';
import { NextStep } from './nextStep';
import { MessageView } from '../../chat/messages';
import { isTerminal } from '../../wire/guards';

export function EndLine(props: {
  view: MessageView;
  /** Nothing is being made, so that a reply can be asked for. */
  idle: boolean;
  onRendered: () => void;
}): JSX.Element | null {
  const { controller, trans } = useTools();
  const { view, idle, onRendered } = props;
  const { showReceipt } = useSettings();
  const { state, stop, error, usage, cost } = view.info;
  const again = (ask: () => void): void => {
    ask();
    focusInput(); // the button goes away, and Esc must still reach the panel
  };
  useLayoutEffect(onRendered, [state, view.stopFailed, onRendered]);
  if (view.stopFailed) {
    return (
      <div className="jp-StopChat-failedLine" role="alert">
        <span>{trans.__('Could not stop: %1', view.stopFailed)}</span>
        <button type="button" className="jp-StopChat-action" onClick={() => controller.stop()}>
          {trans.__('Retry')}
        </button>
      </div>
    );
  }
  if (state === 'failed') {
    // it has not failed: it has done as much as it may at once
    const isAtBound = error?.code === 'too_many_steps';
    return (
      <div className="jp-StopChat-failedLine">
        <span>
          {view.info.finish_reason === 'cut_off'
            ? finishWords(trans, 'cut_off', true)
            : isAtBound
              ? error?.message
              : trans.__('Generation failed: %1', error?.message ?? '')}
        </span>
        {view.info.text_length > 0 && (
          <ContinueButton view={view} idle={idle} label={isAtBound ? trans.__('Go on') : undefined} />
        )}
        <button
          type="button"
          className="jp-StopChat-action"
          disabled={!idle}
          onClick={() => again(() => controller.regenerate(view.id))}
        >
          {trans.__('Retry')}
        </button>
        <NextStep error={error} model={view.info.model} />
        {error && <ErrorDetails error={error} model={view.info.model} />}
      </div>
    );
  }
  if (state === 'stopping' || (view.frozen && !isTerminal(state))) {
    return (
      <div className="jp-StopChat-stoppingLine">
        <span>{trans.__('Stopping…')}</span>
      </div>
    );
  }
  const reason = view.info.finish_reason;
  if (state !== 'interrupted' && !(state === 'completed' && reason)) {
    return null;
  }
  const hasWords = view.info.text_length > 0;
  const receipt = receiptWords(trans, stop, usage, cost);
  return (
    <div className="jp-StopChat-stoppedLine" data-receipt={showReceipt ? 'shown' : 'on demand'}>
      <span className="jp-StopChat-stoppedWords" tabIndex={receipt ? -1 : undefined}>
        {reason ? finishWords(trans, reason, hasWords) : reasonWords(trans, stop)}
        {receipt && <span className="jp-StopChat-receipt">{receipt}</span>}
      </span>
      {hasWords && goesOn(view.info) && <ContinueButton view={view} idle={idle} />}
      <button
        type="button"
        className="jp-StopChat-action"
        disabled={!idle}
        onClick={() => again(() => controller.regenerate(view.id))}
      >
        {trans.__('Regenerate')}
      </button>
    </div>
  );
}

function ContinueButton(props: { view: MessageView; idle: boolean; label?: string }): JSX.Element {
  const { controller, trans } = useTools();
  return (
    <button
      type="button"
      className="jp-StopChat-action"
      disabled={!props.idle}
      onClick={() => {
        controller.continueFrom(props.view.id);
        focusInput(); // the button goes away, and Esc must still reach the panel
      }}
    >
      {props.label ?? trans.__('Continue')}
    </button>
  );
}
