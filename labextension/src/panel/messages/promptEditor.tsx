/** A prompt that was sent, while it is being changed. */
import React, { useEffect, useRef, useState } from 'react';

import { useSettings, useTools } from '../context';
import { composes, sends } from '../../stores/sendKey';

/** @param onEnd is given the new words, or null when they are to stay as they were. */
export function PromptEditor(props: {
  text: string;
  save: string;
  onEnd: (body: string | null) => void;
}): JSX.Element {
  const { trans } = useTools();
  const { sendKey } = useSettings();
  const [text, setText] = useState(props.text);
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const element = box.current as HTMLTextAreaElement;
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
  }, []);
  const blank = text.trim() === '';
  return (
    <div className="jp-StopChat-editor">
      <textarea
        ref={box}
        className="jp-StopChat-editorInput"
        aria-label={trans.__('Change the prompt')}
        rows={Math.min(8, text.split('\n').length + Math.floor(text.length / 40))}
        value={text}
        onChange={event => setText(event.target.value)}
        onKeyDown={event => {
          if (composes(event.nativeEvent)) {
            return;
          }
          if (sends(event.nativeEvent, sendKey) && !blank) {
            event.preventDefault();
            event.stopPropagation();
            props.onEnd(text);
          } else if (event.key === 'Escape') {
            event.preventDefault(); // this Esc is not for Stop
            event.stopPropagation();
            props.onEnd(null);
          }
        }}
      />
      <div className="jp-StopChat-editorRow">
        <button type="button" className="jp-StopChat-action" onClick={() => props.onEnd(null)}>
          {trans.__('Cancel')}
        </button>
        <button
          type="button"
          className="jp-StopChat-action"
          disabled={blank}
          onClick={() => props.onEnd(text)}
        >
          {props.save}
        </button>
      </div>
    </div>
  );
}
