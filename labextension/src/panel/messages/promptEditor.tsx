/** A prompt that was sent, while it is being changed. */
import React, { useEffect, useLayoutEffect, useRef, useState } from 'react';

import { Chips } from '../chips';
import { focusInput, useSettings, useTools } from '../context';
import { useGrowing } from '../growing';
import { hasPicture, placesOf } from '../../chat/attachments';
import { Prompt } from '../../chat/prompt';
import { composes, sends } from '../../stores/sendKey';
import { Attachment } from '../../wire/protocol';

/**
 * @param attachments what goes with it; each can be removed.
 * @param onEnd is given the new words, or null when they are to stay as they were; and the places
 *   of the attachments that are left, where some were removed.
 * @param onLost is given what was changed, where the prompt went away meanwhile: its turn had come,
 *   it was removed elsewhere, or another chat is shown.
 */
export function PromptEditor(props: {
  text: string;
  save: string;
  attachments?: readonly Attachment[];
  onEnd: (body: string | null, keeps?: readonly number[]) => void;
  onLost: (words: Prompt) => void;
}): JSX.Element {
  const { trans } = useTools();
  const { sendKey } = useSettings();
  const [text, setText] = useState(props.text);
  const { attachments = [] } = props;
  const [kept, setKept] = useState(attachments);
  const keeps = placesOf(kept, attachments); // another page may have removed some
  const blank = text.trim() === '' && !hasPicture(keeps.map(at => attachments[at]));
  const box = useRef<HTMLTextAreaElement>(null);
  /** The words that were handed on; when it goes away with others, those are lost. */
  const given = useRef(props.text);
  const end = (body: string | null): void => {
    given.current = text;
    props.onEnd(body, body !== null && keeps.length < attachments.length ? keeps : undefined);
  };
  useGrowing(box, text);
  useEffect(() => {
    const element = box.current as HTMLTextAreaElement;
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
  }, []);
  const leave = useRef<() => void>(() => undefined);
  leave.current = () => {
    if (text !== given.current && !blank) {
      props.onLost({ text, attachments: keeps.map(at => attachments[at]) });
    }
  };
  useLayoutEffect(() => {
    const element = box.current?.closest('.jp-StopChat-editor');
    return () => {
      leave.current();
      if (element?.contains(document.activeElement)) {
        focusInput(); // else it would be nowhere, and Esc would stop nothing
      }
    };
  }, []);
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- Esc of what is in it
    <div
      className="jp-StopChat-editor"
      onKeyDown={event => {
        if (event.key === 'Escape' && !composes(event.nativeEvent)) {
          event.preventDefault(); // this Esc is not for Stop
          event.stopPropagation();
          end(null);
        }
      }}
    >
      {keeps.length > 0 && (
        <Chips
          attachments={keeps.map(at => attachments[at])}
          onRemove={one => {
            setKept(keeps.filter((_, at) => at !== one).map(at => attachments[at]));
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
            end(text);
          }
        }}
      />
      <div className="jp-StopChat-editorRow">
        <button type="button" className="jp-StopChat-action" onClick={() => end(null)}>
          {trans.__('Cancel')}
        </button>
        <button
          type="button"
          className="jp-StopChat-action"
          disabled={blank}
          onClick={() => end(text)}
        >
          {props.save}
        </button>
      </div>
    </div>
  );
}
