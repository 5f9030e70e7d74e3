/** Where a prompt is written: a text box that grows, the queue above it, and the one button. */
import React, { useLayoutEffect, useRef } from 'react';

import { AttachButton, DraftAttachments } from './attachmentChips';
import { Gauge } from './gauge';
import { focusInput, useSettings, useSnapshot, useTools } from '../context';
import { Setup } from '../models/localInstall';
import { ModelPicker } from '../models/modelPicker';
import { AgentWords, ModeSwitch } from './modeSwitch';
import { Queue } from './queue';
import { useGrowing } from '../growing';
import { ToEnd } from './toEnd';
import { Following } from '../messages/following';
import { Popup } from './completion/popup';
import { useCompletion } from './completion/useCompletion';
import { PlaceChip } from './placeChip';
import { chips } from '../../chat/prompt';
import { buttonMode } from '../../chat/selectors';
import { composes, sends } from '../../stores/sendKey';
import { SendStop } from './sendStop';

export function Input(props: { following: Following }): JSX.Element {
  const { controller, trans } = useTools();
  const { sendKey } = useSettings();
  const { prompt } = useSnapshot();
  const invitation = useInvitation();
  const box = useRef<HTMLTextAreaElement>(null);
  const composing = useRef(false);

  const completion = useCompletion(box);
  const isOpen = completion.suggestions.length > 0;

  useGrowing(box, prompt.draft.text);
  useLayoutEffect(() => {
    // a prompt that came back, or was recalled, has the caret at its end
    const element = box.current as HTMLTextAreaElement;
    if (prompt.restored || prompt.recalled) {
      element.setSelectionRange(element.value.length, element.value.length);
    }
  }, [prompt.restored, prompt.recalled]);

  const onKeyDown = (event: React.KeyboardEvent<HTMLTextAreaElement>): void => {
    if (completion.onKeyDown(event)) {
      return;
    }
    if (!composing.current && sends(event.nativeEvent, sendKey)) {
      event.preventDefault();
      event.stopPropagation();
      controller.send();
    } else if (isRecalling(event) && controller.recall(event.key === 'ArrowUp' ? 1 : -1)) {
      event.preventDefault();
    }
  };

  return (
    <div className="jp-StopChat-compose">
      <Setup />
      <Queue />
      <AgentWords />
      <Notice />
      {chips(prompt).map(one => (
        <div className="jp-StopChat-restore" key={one.key}>
          <button
            type="button"
            className="jp-StopChat-restoreChip"
            title={one.text}
            onClick={() => {
              controller.swapChip(one.key);
              box.current?.focus();
            }}
          >
            {trans.__('Restore prompt')}
          </button>
          <button
            type="button"
            className="jp-StopChat-action"
            aria-label={trans.__('Discard the stopped prompt')}
            onClick={() => controller.dropChip(one.key)}
          >
            ×
          </button>
        </div>
      ))}
      <div className="jp-StopChat-box">
        <Popup completion={completion} />
        <PlaceChip />
        <DraftAttachments />
        <div className="jp-StopChat-row">
          <textarea
            ref={box}
            className="jp-StopChat-input"
            rows={1}
            value={prompt.draft.text}
            placeholder={invitation}
            aria-label={trans.__('Prompt')}
            aria-autocomplete="list"
            aria-haspopup="listbox"
            // a box of several lines may have no other role, and so tells of no list by `expanded`
            {...(isOpen && {
              'data-suggests': true,
              'aria-controls': completion.id,
              'aria-activedescendant': `${completion.id}${completion.active}`
            })}
            onChange={event => {
              controller.edit(event.target.value);
              completion.look();
            }}
            onSelect={completion.look}
            onBlur={completion.close}
            onKeyDown={onKeyDown}
            onCompositionStart={() => {
              composing.current = true;
            }}
            onCompositionEnd={() => {
              composing.current = false;
            }}
          />
          <SendStop />
        </div>
      </div>
      <div className="jp-StopChat-toolbar">
        <AttachButton />
        <ModeSwitch />
        <ModelPicker />
        <Gauge />
        <ToEnd following={props.following} />
      </div>
    </div>
  );
}

/** Say what a prompt does that is sent now: it may have to wait. */
function useInvitation(): string {
  const { trans } = useTools();
  const { sendKey, policy } = useSettings();
  const { chat, welcome } = useSnapshot();
  if (buttonMode(chat) === 'send') {
    return trans.__('Ask something…');
  }
  switch (policy ?? welcome?.policy) {
    case 'interrupt':
      return trans.__('%1 stops this and sends', sendKey);
    case 'reject':
      return trans.__('Wait for the reply…');
    default:
      return trans.__('%1 queues a prompt', sendKey);
  }
}

/** Tell whether a key recalls: an arrow alone, where it moves no caret. */
function isRecalling(event: React.KeyboardEvent<HTMLTextAreaElement>): boolean {
  const { selectionStart, selectionEnd, value } = event.currentTarget;
  const isAtEnd = selectionStart === value.length && selectionEnd === value.length;
  const isAlone = !(event.shiftKey || event.ctrlKey || event.metaKey || event.altKey);
  const isArrow = event.key === 'ArrowUp' || event.key === 'ArrowDown';
  return isArrow && isAlone && isAtEnd && !composes(event.nativeEvent);
}

function Notice(): JSX.Element | null {
  const { controller, trans } = useTools();
  const { notice } = useSnapshot().chat;
  if (!notice) {
    return null;
  }
  return (
    <div className="jp-StopChat-notice" role="alert" data-code={notice.code}>
      <span title={notice.errorId}>{notice.text}</span>
      {notice.offer && (
        <button
          type="button"
          className="jp-StopChat-action"
          onClick={() => {
            notice.offer?.accept();
            focusInput(); // the button goes away, and Esc must still reach the panel
          }}
        >
          {notice.offer.label}
        </button>
      )}
      <button
        type="button"
        className="jp-StopChat-action"
        aria-label={trans.__('Dismiss')}
        onClick={() => controller.dismissNotice()}
      >
        ×
      </button>
    </div>
  );
}
