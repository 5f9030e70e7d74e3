/** The buttons that accept and reject a difference: all of it, or one change at a time. */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useSyncExternalStore } from 'react';

import { Difference } from './difference';

export interface DifferenceButtonsProps {
  difference: Difference;
  trans: TranslationBundle;
  /** Accept or reject all. */
  onAccept: () => void;
  onReject: () => void;
  /** Accept the change that is looked at. */
  onAcceptCurrent: () => void;
}

export function DifferenceButtons(props: DifferenceButtonsProps): JSX.Element {
  const { difference, trans } = props;
  useSyncExternalStore(difference.subscribe, difference.getSnapshot);
  const { count, current } = difference;
  const cell = difference.handle.index + 1;
  return (
    <>
      {count > 1 && (
        <span
          className="jp-StopChat-changes"
          role="group"
          aria-label={trans.__('Change %1 of %2', current + 1, count)}
        >
          <button
            type="button"
            aria-label={trans.__('Previous change')}
            title={trans.__('Previous change')}
            onClick={() => difference.step(-1)}
          >
            ‹
          </button>
          <span aria-hidden="true">{trans.__('%1/%2', current + 1, count)}</span>
          <button
            type="button"
            aria-label={trans.__('Next change')}
            title={trans.__('Next change')}
            onClick={() => difference.step(1)}
          >
            ›
          </button>
          <button
            type="button"
            aria-label={trans.__('Accept change %1 of cell %2', current + 1, cell)}
            onClick={props.onAcceptCurrent}
          >
            {trans.__('Accept this')}
          </button>
          <button
            type="button"
            aria-label={trans.__('Reject change %1 of cell %2', current + 1, cell)}
            onClick={() => difference.rejectCurrent()}
          >
            {trans.__('Reject this')}
          </button>
        </span>
      )}
      <button
        type="button"
        className="jp-mod-accept"
        title={trans.__('Accept (Ctrl+Enter)')}
        aria-label={trans.__('Accept the change of cell %1', cell)}
        disabled={count === 0}
        onClick={props.onAccept}
      >
        {count > 1 ? trans.__('Accept all') : trans.__('Accept')}
      </button>
      <button
        type="button"
        title={trans.__('Reject (Esc)')}
        aria-label={trans.__('Reject the change of cell %1', cell)}
        onClick={props.onReject}
      >
        {count > 1 ? trans.__('Reject all') : trans.__('Reject')}
      </button>
    </>
  );
}

/** Tell what a key of a bar asks for. */
export function keyOf(event: React.KeyboardEvent): 'accept' | 'reject' | null {
  if (event.nativeEvent.isComposing) {
    return null;
  }
  if (event.key === 'Escape') {
    return 'reject';
  }
  return event.key === 'Enter' && (event.ctrlKey || event.metaKey) ? 'accept' : null;
}
