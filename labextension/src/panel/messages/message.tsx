/** One message: its text as it grows, and the line below it that tells how it ended. */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { memo, useEffect, useLayoutEffect, useRef, useState } from 'react';

import { SentAttachments } from '../input/attachmentChips';
import { LiveBody } from '../../text/body';
import { focusInput, useSettings, useTools } from '../context';
import { isTerminal } from '../../wire/guards';
import { LongText } from './longText';
import { hasText, MessageView } from '../../chat/messages';
import { MissingText, Unfolding } from './missing';
import { NextStep } from './nextStep';
import { PromptEditor } from '../input/promptEditor';
import { RetryLine } from './retryLine';
import { ToolLine } from './toolLine';
import { UsageLine, usageWords } from './usageLine';
import { Attachment, LeftOut, Message, Receipt, Usage } from '../../wire/protocol';

interface MessageProps {
  view: MessageView;
  /** Nothing is being made, so that a reply can be asked for. */
  idle: boolean;
  onRendered: () => void;
  /** Which of its versions it is, from 0. */
  at: number;
  /** The ids of its versions, with blanks between them; empty when there is only one. */
  versions: string;
}

/** Show one message; it renders again only when it changed. */
export const MessageItem = memo(function MessageItem(props: MessageProps): JSX.Element {
  const { view, onRendered } = props;
  const { controller, trans, openMenu } = useTools();
  const isUser = view.role === 'user';
  const state = view.frozen && !isTerminal(view.info.state) ? 'stopping' : view.info.state;
  const lacks = (part: LeftOut['part']): boolean =>
    view.info.left_out?.some(one => one.part === part) ?? false;
  const elsewhere = !isTerminal(view.info.state) && view.info.made_elsewhere;
  const waits =
    !isUser && !isTerminal(view.info.state) && !elsewhere && !view.frozen && view.text === '';
  return (
    <article
      className="jp-StopChat-message"
      data-message-id={view.id}
      data-role={view.role}
      data-state={state}
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
          {(view.info.tools ?? []).map(tool => (
            <ToolLine key={tool.call_id} tool={tool} />
          ))}
          {(lacks('tool_args') || lacks('tool_result')) && (
            <button
              type="button"
              className="jp-StopChat-action"
              onClick={() => controller.want(view.id, true)}
            >
              {trans.__('Load what the tools were given and returned')}
            </button>
          )}
          <Body view={view} onRendered={onRendered} />
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
          <UsageLine view={view} />
          <div className="jp-StopChat-replyTools">
            <VersionSwitch {...props} />
            <button
              type="button"
              className="jp-StopChat-iconButton jp-StopChat-replyMenu"
              aria-label={trans.__('Actions for this reply')}
              title={trans.__('Actions for this reply')}
              aria-haspopup="menu"
              onClick={event => openMenu('reply', event.currentTarget, { messageId: view.id })}
            >
              <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
                <path d="M3 6.7a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6Zm5 0a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6Zm5 0a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6Z" />
              </svg>
            </button>
          </div>
        </>
      )}
    </article>
  );
});

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
        onEnd={body => {
          if (body === null || controller.editPrompt(view.id, body)) {
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

function Body(props: { view: MessageView; onRendered: () => void }): JSX.Element {
  const { view, onRendered } = props;
  const { controller, render, schedule } = useTools();
  const host = useRef<HTMLDivElement>(null);
  const body = useRef<LiveBody | null>(null);
  const done = isTerminal(view.info.state) && hasText(view);
  const cut = view.info.state !== 'completed';
  useEffect(() => {
    const live = new LiveBody(host.current as HTMLDivElement, {
      render,
      growCode: render.growCode,
      schedule,
      now: () => performance.now(),
      onRendered
    });
    body.current = live;
    const takeBack = controller.reportShown(view.id, () => live.shown);
    return () => {
      takeBack();
      live.dispose();
    };
  }, [view.id, controller, render, schedule, onRendered]);
  useEffect(() => {
    body.current?.update(view.text, done, cut);
  }, [view.text, done, cut, view.id, controller, render, schedule, onRendered]);
  return <div className="jp-StopChat-body" ref={host} />;
}

function EndLine(props: MessageProps): JSX.Element | null {
  const { controller, trans } = useTools();
  const { view, idle, onRendered } = props;
  const { showReceipt } = useSettings();
  const { state, stop, error, usage } = view.info;
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
    return (
      <div className="jp-StopChat-failedLine">
        <span>
          {view.info.finish_reason === 'cut_off'
            ? finishWords(trans, 'cut_off', true)
            : trans.__('Generation failed: %1', error?.message ?? '')}
        </span>
        {view.info.text_length > 0 && <ContinueButton view={view} idle={idle} />}
        <button
          type="button"
          className="jp-StopChat-action"
          disabled={!idle}
          onClick={() => again(() => controller.regenerate(view.id))}
        >
          {trans.__('Retry')}
        </button>
        <NextStep error={error} model={view.info.model} />
        {error?.error_id && (
          <details className="jp-StopChat-errorDetails">
            <summary>{trans.__('Details')}</summary>
            <LongText name={trans.__('Error id, for the server\'s log')} text={error.error_id} />
          </details>
        )}
      </div>
    );
  }
  if (view.info.made_elsewhere && !isTerminal(state)) {
    return (
      <div className="jp-StopChat-stoppingLine">
        <span>{elsewhereWords(trans)}</span>
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
  const receipt = receiptWords(trans, stop, usage);
  return (
    <div className="jp-StopChat-stoppedLine" data-receipt={showReceipt ? 'shown' : 'on demand'}>
      <span className="jp-StopChat-stoppedWords" tabIndex={receipt ? 0 : undefined}>
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

/** Say that no Stop here reaches a reply. */
export function elsewhereWords(trans: TranslationBundle): string {
  return trans.__('Another Jupyter server is making this reply. It can be stopped there.');
}

function ContinueButton(props: { view: MessageView; idle: boolean }): JSX.Element {
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
      {trans.__('Continue')}
    </button>
  );
}

/** Tell whether a reply that ended has more to say. */
export function goesOn(info: Message): boolean {
  return info.state === 'completed' ? info.finish_reason === 'length' : isTerminal(info.state);
}

/** Say how a reply ended that did not come to its own end. */
export function finishWords(
  trans: TranslationBundle,
  reason: Message['finish_reason'],
  hasText: boolean
): string {
  switch (reason) {
    case 'length':
      return hasText
        ? trans.__('Response cut at the model’s limit')
        : trans.__(
            'The model’s limit was used up by thinking. Raise it, or ask for something shorter.'
          );
    case 'cut_off':
      return trans.__('The connection broke off before the response ended');
    case 'content_filter':
      return trans.__('Response cut by the provider’s content filter');
    case 'refusal':
      return trans.__('The model refused to answer');
    default:
      return '';
  }
}

/** Say why a reply ended early. */
export function reasonWords(trans: TranslationBundle, stop: Receipt | undefined): string {
  switch (stop?.reason) {
    case 'server_restart':
      return trans.__('The server restarted');
    case 'server_shutdown':
      return trans.__('The server shut down');
    case 'replaced':
      return trans.__('Replaced by a newer prompt');
    case 'deleted':
      return trans.__('The chat was deleted');
    case 'user':
      return trans.__('Response stopped by the user');
    default:
      return trans.__('Response interrupted');
  }
}

/** Say what a stop did: the provider's connection, and the tokens that were made. */
export function receiptWords(
  trans: TranslationBundle,
  stop: Receipt | undefined,
  usage: Usage | undefined
): string | undefined {
  if (!stop) {
    return undefined;
  }
  const ms = Math.round(stop.provider_ms ?? 0);
  const words = {
    closed:
      stop.provider_ms === undefined
        ? trans.__('provider connection closed')
        : trans.__('provider connection closed after %1 ms', ms),
    unconfirmed: trans.__('provider connection could not be confirmed as closed'),
    still_finishing: trans.__('the model is still finishing in the background'),
    not_started: trans.__('no request to the provider had been made')
  };
  const counted = usageWords(trans, usage);
  return [words[stop.provider], ...(counted ? [counted] : [])].join(', ');
}
