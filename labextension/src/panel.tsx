/** The panel in the sidebar. */
import { ReactWidget } from '@jupyterlab/apputils';
import { Message } from '@lumino/messaging';
import React, { useEffect, useRef } from 'react';

import { focusInput, PanelContext, PanelTools, useSnapshot, useTools } from './context';
import { Input } from './input';
import { MessageList, Status } from './messageList';
import { isBusy, queued } from './replies';

/** A second Esc within this time clears the queue as well, in milliseconds. */
const SECOND_ESC = 1000;

export class StopChatPanel extends ReactWidget {
  constructor(private _tools: PanelTools) {
    super();
    this.addClass('jp-StopChat-panel');
  }

  /** Put the caret into the input. */
  focusInput(): void {
    this.node.querySelector<HTMLTextAreaElement>('.jp-StopChat-input')?.focus();
  }

  protected onActivateRequest(_message: Message): void {
    void this.renderPromise?.then(() => this.focusInput());
  }

  protected render(): JSX.Element {
    return (
      <PanelContext.Provider value={this._tools}>
        <Panel />
      </PanelContext.Provider>
    );
  }
}

function Panel(): JSX.Element {
  const { controller } = useTools();
  const lastEsc = useRef(-Infinity);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // on the node itself, and while bubbling: what wants Esc for itself has had it before
    const node = root.current as HTMLDivElement;
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.shiftKey || event.defaultPrevented) {
        return;
      }
      if (event.isComposing || event.keyCode === 229 || isWantedElsewhere()) {
        return;
      }
      const again = event.timeStamp - lastEsc.current < SECOND_ESC;
      lastEsc.current = event.timeStamp;
      const stopped = controller.stop();
      const waiting = again ? queued(controller.getSnapshot().chat) : [];
      waiting.forEach(reply => controller.unqueue(reply.id, false));
      if (stopped || waiting.length > 0) {
        event.preventDefault();
        event.stopPropagation();
      }
    };
    node.addEventListener('keydown', onKeyDown);
    return () => node.removeEventListener('keydown', onKeyDown);
  }, [controller]);
  return (
    <div className="jp-StopChat-root" ref={root}>
      <Header />
      <Banner />
      <MessageList />
      <Input />
      <Status />
    </div>
  );
}

/** Tell whether a menu, a completer or a dialog is open, which Esc closes. */
function isWantedElsewhere(): boolean {
  return document.querySelector('.jp-Dialog, .lm-Menu, .jp-Completer:not(.lm-mod-hidden)') !== null;
}

function Header(): JSX.Element {
  const { controller, trans } = useTools();
  const { chat } = useSnapshot();
  const title = chat.chat?.title;
  const pendingTitle = !title && isBusy(chat);
  return (
    <div className="jp-StopChat-header">
      {pendingTitle ? (
        <span className="jp-StopChat-skeleton" aria-label={trans.__('Title pending')} role="img" />
      ) : (
        <h2 className="jp-StopChat-title" title={title}>
          {title || trans.__('New chat')}
        </h2>
      )}
      <button
        type="button"
        className="jp-StopChat-newChat"
        aria-label={trans.__('New chat')}
        title={trans.__('New chat')}
        onClick={() => {
          controller.newChat();
          focusInput();
        }}
      >
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path d="M7.25 3 h1.5 v4.25 H13 v1.5 H8.75 V13 h-1.5 V8.75 H3 v-1.5 h4.25 Z" />
        </svg>
      </button>
    </div>
  );
}

function Banner(): JSX.Element | null {
  const { controller, trans } = useTools();
  const { lost } = useSnapshot();
  if (!lost) {
    return null;
  }
  return (
    <div className="jp-StopChat-banner" role="alert">
      <span>{trans.__('Connection lost. Reconnecting…')}</span>
      <button
        type="button"
        className="jp-StopChat-action"
        onClick={() => controller.reconnect()}
      >
        {trans.__('Reconnect now')}
      </button>
    </div>
  );
}
