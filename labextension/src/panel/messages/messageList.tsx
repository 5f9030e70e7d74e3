/** The messages of the chat, which follow the end unless the person scrolled up. */
import React, { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

import { focusInput, useSettings, useSnapshot, useTools } from '../context';
import { isTerminal } from '../../wire/guards';
import { useFilledFromEnd } from './filling';
import { Following } from './following';
import { finishWords, reasonWords } from './endWords';
import { MessageItem, UserText } from './message';
import { messageKeys } from './messageKeys';
import { requestsBehind } from '../../chat/questions';
import { isBusy, phase, queued, visible } from '../../chat/selectors';
import { codeClick, showWrapping } from '../../text/codeTools';
import { CutLine } from './usageLine';
import { sentFrom } from '../../chat/contextUse';
import { versions } from '../../chat/versions';

export function MessageList(props: { following: Following }): JSX.Element {
  const { following } = props;
  const { controller, trans, code, settings } = useTools();
  const { chat, lost } = useSnapshot();
  const { wrapCode } = useSettings();
  const list = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  /** What a click on a code block's button came to. */
  const [done, setDone] = useState('');

  const onRendered = useCallback(() => following.grown(), [following]);
  useLayoutEffect(() => following.attach(list.current as HTMLDivElement), [following]);
  useLayoutEffect(() => messageKeys(list.current as HTMLDivElement), []);
  useEffect(() => {
    // text comes, the panel's size changes, and images load
    const observer = new ResizeObserver(() => following.sized());
    observer.observe(list.current as HTMLDivElement);
    observer.observe(content.current as HTMLDivElement);
    return () => observer.disconnect();
  }, [following]);
  const onClick = useCallback(
    (event: React.MouseEvent) => {
      const click = codeClick(event.target);
      if (click?.action === 'copy') {
        void code.copy(click.code.text).then(copied => setDone(copied ? trans.__('Copied') : ''));
      } else if (click?.action === 'wrap') {
        void settings.set({ wrapCode: !settings.getSnapshot().wrapCode });
      } else if (click?.action === 'replace') {
        code.replace(click.code, requestsBehind(controller.getSnapshot().chat, click.messageId));
      } else if (click) {
        code[click.action](click.code);
      }
    },
    [code, controller, settings, trans]
  );
  useEffect(() => showWrapping(list.current as HTMLDivElement, wrapCode), [wrapCode]);
  useEffect(() => {
    const timer = setTimeout(() => setDone(''), 2500);
    return () => clearTimeout(timer);
  }, [done]);
  const last = chat.pending[chat.pending.length - 1]?.requestId;
  useLayoutEffect(() => {
    if (last !== undefined) {
      following.toEnd(); // what a person has just sent is what they look at
    }
  }, [last, following]);

  const waiting = new Set(queued(chat).flatMap(view => [view.id, view.info.reply_to]));
  const idle = !isBusy(chat);
  const shown = visible(chat).filter(view => !waiting.has(view.id));
  const forks = versions(chat.messages);
  const firstSent = sentFrom(shown);
  const newest = [...shown].reverse().find(view => view.role === 'assistant');
  const { filled, onDrawn } = useFilledFromEnd(shown);
  return (
    <div className="jp-StopChat-listFrame">
      <div
        className="jp-StopChat-list"
        data-wrap-code={wrapCode}
        role="log"
        aria-live="off"
        aria-label={trans.__('Messages')}
        tabIndex={0}
        ref={list}
      >
        {/* what is clicked are buttons in rendered text, which the keyboard reaches as well */}
        {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions -- see above */}
        <div ref={content} onClick={onClick}>
          {shown.length === 0 && chat.pending.length === 0 && !chat.loading && <Greeting />}
          {chat.loading && <Loading failure={chat.failure} />}
          {filled.map(view => (
            <React.Fragment key={view.id}>
              {view.id === firstSent && <CutLine />}
              <MessageItem
                view={view}
                idle={idle}
                onRendered={onRendered}
                last={view === newest}
                onDrawn={onDrawn}
                at={forks.get(view.id)?.at ?? 0}
                versions={forks.get(view.id)?.ids.join(' ') ?? ''}
              />
            </React.Fragment>
          ))}
          {chat.pending.map(one => (
            <div className="jp-StopChat-pending" key={one.requestId}>
              {one.kind === 'send' && (
                <article
                  className="jp-StopChat-message"
                  // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a stop of Tab
                  tabIndex={0}
                  data-role="user"
                  data-state={one.stopping ? 'stopping' : 'sending'}
                  aria-label={trans.__('You')}
                >
                  <UserText text={one.body} attachments={one.attachments} />
                </article>
              )}
              {lost && !one.stopping && (
                <div className="jp-StopChat-stoppingLine">
                  {trans.__('Waiting for the connection')}
                </div>
              )}
              {one.stopFailed && (
                <div className="jp-StopChat-failedLine" role="alert">
                  <span>{trans.__('Could not stop: %1', one.stopFailed)}</span>
                  <button
                    type="button"
                    className="jp-StopChat-action"
                    onClick={() => controller.stop()}
                  >
                    {trans.__('Retry')}
                  </button>
                </div>
              )}
            </div>
          ))}
        </div>
      </div>
      <div className="jp-StopChat-toast" role="status">
        {done}
      </div>
    </div>
  );
}

/** Say that a chat is not here yet, and why where it could not be opened. */
function Loading(props: { failure: string | null }): JSX.Element {
  const { controller, trans } = useTools();
  if (props.failure === null) {
    return <div className="jp-StopChat-missing">{trans.__('The chat is being loaded…')}</div>;
  }
  return (
    <div className="jp-StopChat-failedLine" role="alert">
      <span>{trans.__('The chat could not be opened: %1', props.failure)}</span>
      <button
        type="button"
        className="jp-StopChat-action"
        onClick={() => {
          controller.openAgain();
          focusInput();
        }}
      >
        {trans.__('Retry')}
      </button>
    </div>
  );
}

function Greeting(): JSX.Element {
  const { attaching, controller, trans } = useTools();
  const traceback = trans.__('What does this traceback mean, and how do I mend it?');
  const examples = [
    trans.__('Explain what a Python generator is, with an example.'),
    trans.__('Write a function that reads a CSV file and plots two columns.'),
    traceback
  ];
  return (
    <div className="jp-StopChat-greeting">
      <p>{trans.__('Ask anything, and stop the answer whenever you have seen enough.')}</p>
      {examples.map(example => (
        <button
          type="button"
          className="jp-StopChat-example"
          key={example}
          onClick={() => {
            controller.edit(example);
            const { attachments } = controller.getSnapshot().prompt.draft;
            const cell = example === traceback ? attaching.failedCell() : null;
            if (cell && !attachments.some(one => one.text === cell.text)) {
              attaching.attach(controller, cell);
            }
            focusInput();
          }}
        >
          {example}
        </button>
      ))}
    </div>
  );
}

/** Tell a screen reader when a reply begins and ends, and never its tokens. */
export function Status(): JSX.Element {
  const { trans } = useTools();
  const { chat, lost } = useSnapshot();
  const [words, setWords] = useState('');
  const [now, latest] = phase(chat, lost);
  const finished = latest && isTerminal(latest.info.state) ? latest.info.finish_reason : undefined;
  const stopped = reasonWords(trans, latest?.info.stop);
  const hasWords = (latest?.info.text_length ?? 0) > 0;
  const busy = useRef(false);
  useEffect(() => {
    const table: Record<string, string> = {
      generating: trans.__('Generating'),
      asking: trans.__('A tool asks whether it may act'),
      waiting: trans.__('Waiting for the connection'),
      stopping: trans.__('Stopping'),
      interrupted: stopped,
      completed: trans.__('Response complete'),
      failed: trans.__('Failed'),
      cannot_stop: trans.__('Could not stop')
    };
    // an old chat that is opened says nothing: only what ended while it was looked at does
    if (['generating', 'asking', 'waiting', 'stopping'].includes(now)) {
      busy.current = true;
      setWords(table[now]);
    } else if (busy.current) {
      const ended = finishWords(trans, finished, hasWords);
      setWords(ended || (table[now] ?? ''));
    }
  }, [now, finished, stopped, hasWords, trans]);
  const isNew = chat.chatId === null && chat.pending.length === 0;
  useEffect(() => {
    if (isNew) {
      busy.current = false;
      setWords('');
    }
  }, [isNew]);
  return (
    <div className="jp-StopChat-status" role="status" aria-live="polite">
      {words}
    </div>
  );
}
