/** A prompt that was sent, while it is being changed. */
import React, { useEffect, useRef, useState } from 'react';

import { Chips } from '../chips';
import { useSettings, useTools } from '../context';
import { useGrowing } from '../growing';
import { composes, sends } from '../../stores/sendKey';
import { Attachment } from '../../wire/protocol';

/**
 * @param attachments what goes with it; each can be removed.
 * @param onEnd is given the new words, or null when they are to stay as they were; and the places
 *   of the attachments that are left, where some were removed.
 */
export function PromptEditor(props: {
  text: string;
  save: string;
  attachments?: readonly Attachment[];
  onEnd: (body: string | null, keeps?: readonly number[]) => void;
}): JSX.Element {
  const { trans } = useTools();
  const { sendKey } = useSettings();
  const [text, setText] = useState(props.text);
  const { attachments = [] } = props;
  const [keeps, setKeeps] = useState(() => attachments.map((_, at) => at));
  const box = useRef<HTMLTextAreaElement>(null);
  const send = (): void => props.onEnd(text, keeps.length < attachments.length ? keeps : undefined);
  useGrowing(box, text);
  useEffect(() => {
    const element = box.current as HTMLTextAreaElement;
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
  }, []);
  const blank = text.trim() === '';
  return (
    <div className="jp-StopChat-editor">
      {keeps.length > 0 && (
        <Chips
          attachments={keeps.map(at => attachments[at])}
          onRemove={one => {
            setKeeps(keeps.filter((_, at) => at !== one));
            box.current?.focus();
          }}
        />
      )}
      <textarea
        ref={box}
        className="jp-StopChat-editorInput"
        aria-label={trans.__('Change the prompt')}
        rows={1}
        value={text}
        onChange={event => setText(event.target.value)}
        onKeyDown={event => {
          if (composes(event.nativeEvent)) {
            return;
          }
          if (sends(event.nativeEvent, sendKey) && !blank) {
            event.preventDefault();
            event.stopPropagation();
            send();
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
          onClick={send}
        >
          {props.save}
        </button>
      </div>
    </div>
  );
}
