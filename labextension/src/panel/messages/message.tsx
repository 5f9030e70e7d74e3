/** One message: its text as it grows, and the line below it that tells how it ended. */
import React, { memo, useState } from 'react';

import { SentAttachments } from './sentAttachments';
import { focusInput, useTools } from '../context';
import { isTerminal } from '../../wire/guards';
import { EndLine } from './endLine';
import { hasText, MessageView } from '../../chat/messages';
import { MissingText, Unfolding } from './missing';
import { PromptEditor } from './promptEditor';
import { ReplyText } from './replyText';
import { ReplyTools } from './replyTools';
import { RetryLine } from './retryLine';
import { ChangesLine } from './tools/changesLine';
import { isAtWork, partsOf } from '../../chat/tools/parts';
import { Attachment, LeftOut } from '../../wire/protocol';

interface MessageProps {
  view: MessageView;
  /** Nothing is being made, so that a reply can be asked for. */
  idle: boolean;
  onRendered: () => void;
  /** It is the newest reply. */
  last: boolean;
  /** Called when the words are on the page. */
  onDrawn: (messageId: string) => void;
  /** Which of its versions it is, from 0. */
  at: number;
  /** The ids of its versions, with blanks between them; empty when there is only one. */
  versions: string;
}

/** Show one message; it renders again only when it changed. */
export const MessageItem = memo(function MessageItem(props: MessageProps): JSX.Element {
  const { view, onRendered, onDrawn } = props;
  const { trans } = useTools();
  const isUser = view.role === 'user';
  const state = view.frozen && !isTerminal(view.info.state) ? 'stopping' : view.info.state;
  const lacks = (part: LeftOut['part']): boolean =>
    view.info.left_out?.some(one => one.part === part) ?? false;
  const isMade = !isUser && !isTerminal(view.info.state) && !view.frozen;
  const waits = isMade && !isAtWork(view.info.tools ?? []) && isWordless(view);
  return (
    <article
      className="jp-StopChat-message"
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- one stop of Tab a message
      tabIndex={0}
      data-message-id={view.id}
      data-role={view.role}
      data-state={state}
      data-newest={props.last || undefined}
      aria-label={isUser ? trans.__('You') : trans.__('Reply')}
      aria-busy={!hasText(view)}
    >
      {isUser ? (
        <Prompt {...props} />
      ) : (
        <>
          {(view.reasoning || lacks('reasoning')) && (
            <Unfolding
              className="jp-StopChat-reasoning"
              summary={waits ? trans.__('Thinking…') : trans.__('Thoughts')}
              messageId={view.id}
              lacks={lacks('reasoning')}
            >
              <div>{view.reasoning}</div>
            </Unfolding>
          )}
          <ReplyText view={view} onRendered={onRendered} onDrawn={onDrawn} />
          {!hasText(view) && <MissingText messageId={view.id} />}
          {waits && (
            <div className="jp-StopChat-waiting" aria-hidden="true">
              <span />
              <span />
              <span />
            </div>
          )}
          {waits && view.info.retry && <RetryLine retry={view.info.retry} />}
          <EndLine {...props} />
          <ChangesLine view={view} onRendered={onRendered} />
          <ReplyTools view={view} idle={props.idle} last={props.last}>
            <VersionSwitch {...props} />
          </ReplyTools>
        </>
      )}
    </article>
  );
});

/** Tell whether the words that come next have not begun. */
function isWordless({ text, info }: MessageView): boolean {
  const last = partsOf(text.length, info.tools ?? []).at(-1);
  return last?.kind === 'text' && last.from === last.to;
}

/** Show a prompt as it was typed. */
export function UserText(props: {
  text: string;
  attachments: readonly Attachment[];
  /** The message, once there is one. */
  view?: MessageView;
}): JSX.Element {
  const { view } = props;
  return (
    <div className="jp-StopChat-prompt">
      <SentAttachments
        attachments={props.attachments}
        messageId={view?.id}
        leftOut={view?.info.left_out}
      />
      {props.text}
      {view && !hasText(view) && <MissingText messageId={view.id} />}
    </div>
  );
}

/** A prompt, with what can be done to it. */
function Prompt(props: MessageProps): JSX.Element {
  const { controller, trans } = useTools();
  const { view, idle } = props;
  const [editing, setEditing] = useState(false);
  if (editing) {
    return (
      <PromptEditor
        text={view.text}
        save={trans.__('Send')}
        attachments={view.info.attachments}
        onLost={words => controller.giveBack(words)}
        onEnd={(body, keeps) => {
          if (body === null || controller.editPrompt(view.id, body, keeps)) {
            setEditing(false);
            focusInput();
          }
        }}
      />
    );
  }
  return (
    <>
      <UserText text={view.text} attachments={view.info.attachments ?? []} view={view} />
      <div className="jp-StopChat-promptTools">
        <VersionSwitch {...props} />
        <button
          type="button"
          className="jp-StopChat-action jp-StopChat-edit"
          disabled={!idle}
          onClick={() => void controller.whole(view.id).then(whole => setEditing(whole !== null))}
        >
          {trans.__('Edit')}
        </button>
      </div>
    </>
  );
}

/** Switch between the versions of a message that was made anew or changed. */
function VersionSwitch(props: MessageProps): JSX.Element | null {
  const { controller, trans } = useTools();
  const { at, idle } = props;
  const ids = props.versions.split(' ');
  if (ids.length < 2) {
    return null;
  }
  const step = (name: string, sign: string, to: number): JSX.Element => {
    const off = !idle || to < 0 || to >= ids.length;
    return (
      <button
        type="button"
        className="jp-StopChat-action"
        aria-label={name}
        title={name}
        aria-disabled={off}
        onClick={() => {
          if (!off) {
            controller.showVersion(ids[to]);
          }
        }}
      >
        {sign}
      </button>
    );
  };
  return (
    <div className="jp-StopChat-versions" role="group" aria-label={trans.__('Versions')}>
      {step(trans.__('Earlier version'), '‹', at - 1)}
      <span>{trans.__('%1/%2', at + 1, ids.length)}</span>
      {step(trans.__('Later version'), '›', at + 1)}
    </div>
  );
}
