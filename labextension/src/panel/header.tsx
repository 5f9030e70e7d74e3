/** The top of the panel: the list of chats, the title, the chat's menu, and New chat. */
import React, { useEffect, useLayoutEffect, useRef, useState } from 'react';

import { DOTS, IconButton } from './iconButton';
import { focusInput, useSnapshot, useTools, useView } from './context';
import { titleWait } from '../stores/history';
import { Chat } from '../wire/protocol';
import { isBusy } from '../chat/selectors';

/** Tell whether a chat's title is still on its way; it renders again when it no longer is. */
export function useTitleWaits(chat: Chat | null): boolean {
  const [, again] = useState(0);
  useEffect(() => {
    const wait = waitFor(chat);
    if (wait > 0) {
      const timer = setTimeout(() => again(count => count + 1), wait + 50);
      return () => clearTimeout(timer);
    }
    return undefined;
  }, [chat]);
  return waitFor(chat) > 0;
}

function waitFor(chat: Chat | null): number {
  return chat ? titleWait(chat, Date.now()) : 0;
}

export function Skeleton(): JSX.Element {
  const { trans } = useTools();
  return (
    <span className="jp-StopChat-skeleton" role="img" aria-label={trans.__('Title pending')} />
  );
}

export function Header(): JSX.Element {
  const { shownChat, trans, openMenu } = useTools();
  const view = useView();
  const open = view.listOpen;
  return (
    <div className="jp-StopChat-header">
      <IconButton
        name={open ? trans.__('Close the list of chats') : trans.__('Chats')}
        expanded={open}
        className="jp-StopChat-chatsButton"
        path={
          open
            ? 'M10.2 3 5.2 8l5 5 1-1-4-4 4-4-1-1Z'
            : 'M2.5 3.5h11v1.4h-11V3.5Zm0 3.8h11v1.4h-11V7.3Zm0 3.8h11v1.4h-11v-1.4Z'
        }
        onClick={() => view.showList(!open)}
      />
      <Title />
      <IconButton
        name={trans.__('More actions')}
        hasMenu
        className="jp-StopChat-menuButton"
        path={DOTS}
        onClick={button => openMenu('chat', button)}
      />
      <IconButton
        name={trans.__('New chat')}
        className="jp-StopChat-newChat"
        path="M7.25 3h1.5v4.25H13v1.5H8.75V13h-1.5V8.75H3v-1.5h4.25Z"
        onClick={() => {
          view.showList(false);
          shownChat.show(null);
          focusInput();
        }}
      />
    </div>
  );
}

function Title(): JSX.Element {
  const { trans } = useTools();
  const { chat } = useSnapshot();
  const view = useView();
  const waits = useTitleWaits(chat.chat);
  const title = chat.chat?.title;
  if (view.listOpen) {
    return <h2 className="jp-StopChat-title">{trans.__('Chats')}</h2>;
  }
  if (chat.chatId !== null && view.renaming) {
    return <TitleInput key={chat.chatId} chatId={chat.chatId} title={title ?? ''} />;
  }
  if (!title && (waits || isBusy(chat))) {
    return <Skeleton />;
  }
  if (chat.chatId === null) {
    return <h2 className="jp-StopChat-title">{trans.__('New chat')}</h2>;
  }
  return (
    <h2 className="jp-StopChat-title">
      <button
        type="button"
        className="jp-StopChat-titleButton"
        title={trans.__('Rename')}
        onClick={() => view.rename(true)}
      >
        {title || trans.__('Untitled chat')}
      </button>
    </h2>
  );
}

function TitleInput(props: { chatId: string; title: string }): JSX.Element {
  const { history, trans, view } = useTools();
  const [text, setText] = useState(props.title);
  const field = useRef<HTMLInputElement>(null);
  const ended = useRef(false);
  useLayoutEffect(() => field.current?.focus(), []);
  const end = (keep: boolean): void => {
    if (ended.current) {
      return;
    }
    ended.current = true;
    const title = text.trim();
    if (keep && title !== '' && title !== props.title) {
      void history.rename(props.chatId, title);
    }
    view.rename(false);
  };
  return (
    <input
      ref={field}
      className="jp-StopChat-titleInput"
      aria-label={trans.__('Title')}
      value={text}
      maxLength={200}
      onFocus={event => event.target.select()}
      onChange={event => setText(event.target.value)}
      onBlur={() => end(true)}
      onKeyDown={event => {
        if (event.nativeEvent.isComposing) {
          return;
        }
        if (event.key === 'Enter' || event.key === 'Escape') {
          event.preventDefault(); // this Esc is not for Stop
          event.stopPropagation();
          end(event.key === 'Enter');
          focusInput();
        }
      }}
    />
  );
}
