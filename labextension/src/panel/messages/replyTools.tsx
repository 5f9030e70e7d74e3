/** The line of small buttons below a reply, and the model that made it. */
import React, { useEffect, useState } from 'react';

import { focusInput, useTools } from '../context';
import { IconButton } from '../iconButton';
import { UsageLine } from './usageLine';
import { MessageView } from '../../chat/messages';
import { isTerminal } from '../../wire/guards';

/** So long it is said that a reply was copied, in milliseconds. */
const SAID = 2500;

export function ReplyTools(props: {
  view: MessageView;
  /** Nothing is being made, so that a reply can be asked for. */
  idle: boolean;
  /** It is the newest reply: its buttons are always seen. */
  last: boolean;
  /** The switch between its versions. */
  children: React.ReactNode;
}): JSX.Element {
  const { controller, trans, openMenu } = useTools();
  const { view, idle, last } = props;
  const { state, finish_reason: reason, text_length } = view.info;
  const ended = isTerminal(state);
  // the line above says how another one ended, and offers a new one
  const isWhole = state === 'completed' && !reason;
  return (
    <div className="jp-StopChat-replyTools" data-last={last}>
      {ended && text_length > 0 && <CopyReply messageId={view.id} />}
      {isWhole && (
        <IconButton
          name={trans.__('Regenerate')}
          path="M8 2.6a5.4 5.4 0 0 1 4.2 2V2.8h1.3v4.3H9.2V5.8h2.3A4.1 4.1 0 1 0 12 9.3l1.2.5A5.4 5.4 0 1 1 8 2.6Z"
          off={!idle}
          onClick={() => {
            controller.regenerate(view.id);
            focusInput(); // the button goes away, and Esc must still reach the panel
          }}
        />
      )}
      <IconButton
        name={trans.__('Actions for this reply')}
        path="M3 6.7a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6Zm5 0a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6Zm5 0a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6Z"
        hasMenu
        onClick={button => openMenu('reply', button, { messageId: view.id })}
      />
      {props.children}
      <UsageLine view={view} />
    </div>
  );
}

/** Copy all of a reply, also what of it is not here yet, and say so. */
function CopyReply(props: { messageId: string }): JSX.Element {
  const { controller, code, trans } = useTools();
  const [copied, setCopied] = useState(false);
  const { messageId } = props;
  useEffect(() => {
    const timer = setTimeout(() => setCopied(false), SAID);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (): Promise<void> => {
    const whole = await controller.whole(messageId);
    setCopied(whole !== null && (await code.copy(whole.text)));
  };
  return (
    <>
      <IconButton
        name={trans.__('Copy the reply')}
        path={
          copied
            ? 'M6.3 12.2 2.5 8.4l1-1 2.8 2.8 6.2-6.2 1 1-7.2 7.2Z'
            : 'M5 2h8v9h-2v3H3V5h2V2Zm1.4 1.4V5H11v4.6h.6V3.4H6.4ZM4.4 6.4v6.2h5.2V6.4H4.4Z'
        }
        onClick={() => void copy()}
      />
      <span className="jp-StopChat-unseen" role="status">
        {copied ? trans.__('Copied') : ''}
      </span>
    </>
  );
}
