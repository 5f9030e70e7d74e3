/** The line above a cell in which its code is asked for, and decided on. */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useRef, useSyncExternalStore } from 'react';

import { CellPrompt } from './cellPrompt';
import { DifferenceButtons, keyOf } from '../difference/buttons';

export interface CellPromptBarProps {
  prompt: CellPrompt;
  trans: TranslationBundle;
  /** The field has the focus once it is there. */
  takesFocus: boolean;
  onAccept: () => void;
  onAcceptCurrent: () => void;
  /** Close the line; the cell is as it is. */
  onClose: () => void;
  /** Show the chat that the turn stands in. */
  onOpenChat: () => void;
}

export function CellPromptBar(props: CellPromptBarProps): JSX.Element {
  const { prompt, trans, takesFocus, onClose } = props;
  useSyncExternalStore(prompt.subscribe, prompt.getSnapshot);
  const field = useRef<HTMLInputElement>(null);
  const { phase, difference } = prompt;
  const cell = prompt.handle.index + 1;
  const isBusy = phase === 'waiting' || phase === 'coming' || phase === 'stopping';
  useEffect(() => {
    if (takesFocus) {
      field.current?.focus();
    }
  }, [takesFocus]);
  const back = (): void => {
    field.current?.focus();
  };
  const reject = (): void => {
    prompt.reject();
    back();
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const key = keyOf(event);
    if (key === 'reject') {
      event.preventDefault();
      if (prompt.stop()) {
        back();
      } else if (phase === 'deciding') {
        reject();
      } else {
        onClose();
      }
    } else if (key === 'accept' && phase === 'deciding') {
      event.preventDefault();
      props.onAccept();
    }
  };
  return (
    // Esc and Ctrl+Enter, wherever in it the focus is
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- see above
    <div className="jp-StopChat-cellBarRow" onKeyDown={onKeyDown}>
      <input
        ref={field}
        className="jp-StopChat-cellPrompt"
        type="text"
        value={prompt.text}
        readOnly={isBusy}
        placeholder={trans.__('What shall the cell do?')}
        aria-label={trans.__('Prompt for cell %1', cell)}
        onChange={event => prompt.edit(event.target.value)}
        onKeyDown={event => {
          const isPlain = !event.ctrlKey && !event.metaKey && !event.nativeEvent.isComposing;
          if (event.key === 'Enter' && isPlain) {
            event.preventDefault();
            void prompt.ask();
          }
        }}
      />
      {isBusy ? (
        <button
          type="button"
          className="jp-mod-stop"
          aria-label={trans.__('Stop the code of cell %1', cell)}
          title={trans.__('Stop (Esc)')}
          disabled={phase === 'stopping'}
          onClick={() => {
            prompt.stop();
            back();
          }}
        >
          {phase === 'stopping' ? trans.__('Stopping…') : trans.__('Stop')}
        </button>
      ) : (
        <button
          type="button"
          disabled={prompt.text.trim() === ''}
          aria-label={
            phase === 'deciding'
              ? trans.__('Ask again for the code of cell %1', cell)
              : trans.__('Ask for the code of cell %1', cell)
          }
          onClick={() => {
            void prompt.ask();
            back();
          }}
        >
          {phase === 'deciding' ? trans.__('Again') : trans.__('Ask')}
        </button>
      )}
      {phase === 'deciding' && difference && (
        <DifferenceButtons
          difference={difference}
          trans={trans}
          onAccept={props.onAccept}
          onReject={reject}
          onAcceptCurrent={props.onAcceptCurrent}
        />
      )}
      {phase === 'writing' && (
        <button
          type="button"
          aria-label={trans.__('Close the prompt for cell %1', cell)}
          title={trans.__('Close (Esc)')}
          onClick={onClose}
        >
          ×
        </button>
      )}
      {prompt.controller && (
        <button type="button" className="jp-mod-quiet" onClick={props.onOpenChat}>
          {trans.__('Open the chat')}
        </button>
      )}
      {prompt.sentence && <div className="jp-StopChat-cellBarNote">{prompt.sentence}</div>}
      {phase === 'waiting' && !prompt.sentence && (
        <div className="jp-StopChat-cellBarNote">{trans.__('Waiting for the code…')}</div>
      )}
    </div>
  );
}
