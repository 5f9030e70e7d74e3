/** The list of chats, in the place of the messages. */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useRef } from 'react';

import { focusInput, useHistory, useSnapshot, useTools } from './context';
import { DOTS, IconButton } from './iconButton';
import { Skeleton, useTitleWaits } from './header';
import { byPeriod, Mark, Period } from '../stores/history';
import { Chat } from '../wire/protocol';

export function ChatList(): JSX.Element {
  const { history, trans, view } = useTools();
  const { chats, query, more, loading } = useHistory();
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    void history.search('');
    search.current?.focus();
  }, [history]);
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- Esc of what is in it
    <div
      className="jp-StopChat-chats"
      onKeyDown={event => {
        if (event.key === 'Escape' && !event.nativeEvent.isComposing) {
          event.preventDefault(); // this Esc is not for Stop
          event.stopPropagation();
          view.showList(false);
          focusInput();
        }
      }}
    >
      <input
        ref={search}
        type="search"
        className="jp-StopChat-search"
        placeholder={trans.__('Search chats')}
        aria-label={trans.__('Search chats')}
        value={query}
        onChange={event => void history.search(event.target.value)}
      />
      {chats.length === 0 && !loading && (
        <p className="jp-StopChat-noChats">
          {query ? trans.__('No chat matches.') : trans.__('There are no chats yet.')}
        </p>
      )}
      {byPeriod(chats, new Date()).map(([period, those]) => (
        <section key={period} aria-label={heading(trans, period)}>
          <h3>{heading(trans, period)}</h3>
          <ul>
            {those.map(chat => (
              <ChatRow key={chat.id} chat={chat} />
            ))}
          </ul>
        </section>
      ))}
      {more && (
        <button
          type="button"
          className="jp-StopChat-action"
          onClick={() => void history.readMore()}
        >
          {trans.__('Older chats')}
        </button>
      )}
    </div>
  );
}

function ChatRow(props: { chat: Chat }): JSX.Element {
  const { chat } = props;
  const { shownChat, trans, view, openMenu } = useTools();
  const { marks, hits, query } = useHistory();
  const hit = hits[chat.id];
  const current = useSnapshot().chat.chatId === chat.id;
  const waits = useTitleWaits(chat);
  const title = chat.title || trans.__('Untitled chat');
  const dot = dotOf(chat, marks[chat.id]);
  return (
    <li className="jp-StopChat-chatRow" data-chat-id={chat.id}>
      <button
        type="button"
        className="jp-StopChat-chat"
        aria-current={current ? 'true' : undefined}
        onClick={() => {
          shownChat.show(chat.id);
          view.showList(false);
          focusInput();
        }}
      >
        <span className="jp-StopChat-chatWords">
          <span className="jp-StopChat-chatTitle" title={chat.title}>
            {waits ? <Skeleton /> : title}
          </span>
          {query && hit && <Hit line={hit} query={query} />}
        </span>
        <span className="jp-StopChat-when">{when(chat.updated_at)}</span>
        {dot && (
          <span className="jp-StopChat-dot" data-dot={dot} role="img" {...named(trans, dot)} />
        )}
      </button>
      <IconButton
        name={trans.__('Actions for %1', title)}
        title={trans.__('More actions')}
        hasMenu
        path={DOTS}
        size={14}
        onClick={button => openMenu('row', button, { chatId: chat.id })}
      />
    </li>
  );
}

/** The line that a search has found, with the words that were typed. */
function Hit(props: { line: string; query: string }): JSX.Element {
  const words = props.query.trim().split(/\s+/);
  const escaped = words.map(word => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const parts = props.line.split(new RegExp(`(${escaped.join('|')})`, 'iu'));
  return (
    <span className="jp-StopChat-hit">
      {parts.map((part, at) => (at % 2 ? <mark key={at}>{part}</mark> : part))}
    </span>
  );
}

/** Say when the chats below were changed last. */
function heading(trans: TranslationBundle, period: Period): string {
  const named: Partial<Record<Period, string>> = {
    today: trans.__('Today'),
    yesterday: trans.__('Yesterday'),
    week: trans.__('Previous 7 days')
  };
  const [year, month] = period.split('-').map(Number);
  return (
    named[period] ??
    new Date(year, month - 1).toLocaleDateString(undefined, { month: 'long', year: 'numeric' })
  );
}

type Dot = Mark | 'generating' | 'asking' | 'queued';

function dotOf(chat: Chat, mark: Mark | undefined): Dot | null {
  if (chat.state === 'asking') {
    return 'asking';
  }
  if (chat.state === 'generating' || chat.state === 'queued') {
    return 'generating';
  }
  // how its last reply ended says more than that its queue waits
  const ended = mark && mark !== 'unread' ? mark : null;
  return chat.state === 'paused' ? ended ?? 'stopped' : mark ?? null;
}

function named(trans: TranslationBundle, dot: Dot): { title: string; 'aria-label': string } {
  const name = {
    generating: trans.__('Generating'),
    asking: trans.__('Waits for your answer'),
    queued: trans.__('Generating'),
    stopped: trans.__('Stopped'),
    early: trans.__('Ended early'),
    failed: trans.__('Failed'),
    unread: trans.__('Unread')
  }[dot];
  return { title: name, 'aria-label': name };
}

/** Say when a chat last changed: the time today, else the day. */
function when(at: string): string {
  const date = new Date(at);
  const now = new Date();
  if (date.toDateString() === now.toDateString()) {
    return date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  }
  const year = date.getFullYear() === now.getFullYear() ? undefined : 'numeric';
  return date.toLocaleDateString(undefined, { day: 'numeric', month: 'short', year });
}
