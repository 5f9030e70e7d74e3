/** The one button: Send, Stop and Stopping in one place and one size. */
import React from 'react';

import { focusInput, useSnapshot, useTools } from '../context';
import { IconButton } from '../iconButton';
import { isSendable } from '../../chat/prompt';
import { buttonMode } from '../../chat/selectors';
import { modeOf } from '../../chat/state';

export function SendStop(): JSX.Element {
  const { controller, trans, openMenu } = useTools();
  const snapshot = useSnapshot();
  const { prompt } = snapshot;
  const mode = modeOf(snapshot);
  const names = {
    send: trans.__('Send'),
    stop:
      buttonMode(snapshot.chat) === 'send'
        ? trans.__('Stop sending')
        : trans.__('Stop generating'),
    stopping: trans.__('Stopping…')
  };
  // aria-disabled keeps the focus where it is, and the button in its place
  const off = mode === 'stopping' || (mode === 'send' && !isSendable(prompt));
  const button = (
    <button
      type="button"
      className="jp-StopChat-button"
      data-mode={mode}
      aria-label={names[mode]}
      title={names[mode]}
      aria-disabled={off}
      onMouseDown={event => event.preventDefault()}
      onClick={() => {
        controller.click();
        focusInput(); // the prompt is there: again after Stop, still after Send
      }}
    >
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        {mode === 'send' ? (
          <path d="M8 2.5 L13 7.5 L11.9 8.6 L8.8 5.5 V13.5 H7.2 V5.5 L4.1 8.6 L3 7.5 Z" />
        ) : (
          <rect x="3.5" y="3.5" width="9" height="9" rx="1.5" />
        )}
      </svg>
    </button>
  );
  // it comes to the left of the button, which does not move
  return (
    <>
      {mode !== 'send' && isSendable(prompt) && (
        <IconButton
          name={trans.__('Ways to send')}
          className="jp-StopChat-draftMenu"
          path="m3.5 9.5 4.5-4.5 4.5 4.5-1 1L8 7l-3.5 3.5-1-1Z"
          size={14}
          hasMenu
          onClick={button => openMenu('draft', button)}
        />
      )}
      {button}
    </>
  );
}
