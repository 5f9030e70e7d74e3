/** One view of a chat: in the sidebar, or in a tab of the main area. */
import { ReactWidget } from '@jupyterlab/apputils';
import { Message } from '@lumino/messaging';
import React, { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';

import { ChatList } from './chatList';
import {
  noteUsed,
  PanelContext,
  PanelTools,
  PanelView,
  useHistory,
  useSnapshot,
  useTools,
  useView
} from './context';
import { acceptDrops, acceptPastes } from './dropping';
import { Header } from './header';
import { Input } from './input/input';
import { Following } from './messages/following';
import { openPicker } from './models/modelName';
import { MessageList, Status } from './messages/messageList';
import { ShownChat } from '../chat/shownChat';
import { composes } from '../stores/sendKey';

/** A second Esc within this time clears the queue as well, in milliseconds. */
const SECOND_ESC = 1000;

export type PanelParts = Omit<PanelTools, 'controller'>;

export class StopChatPanel extends ReactWidget {
  constructor(private _parts: PanelParts) {
    super();
    this.addClass('jp-StopChat-panel');
    const { attaching, shownChat, trans } = _parts;
    this._endDrops = acceptDrops(this.node, {
      paths: paths => void attaching.attachPaths(shownChat.controller, paths),
      files: files => void attaching.attachFiles(shownChat.controller, files),
      cells: text => {
        const one = { name: trans.__('Cells'), text, mime_type: 'text/markdown' };
        attaching.attach(shownChat.controller, one);
      }
    });
    this._endPastes = acceptPastes(
      this.node,
      files => void attaching.attachFiles(shownChat.controller, files)
    );
    for (const type of ['pointerdown', 'focusin']) {
      this.node.addEventListener(type, () => this._use(), true);
    }
  }

  get shownChat(): ShownChat {
    return this._parts.shownChat;
  }

  get view(): PanelView {
    return this._parts.view;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._endDrops();
      this._endPastes();
      super.dispose();
      this._parts.shownChat.dispose();
    }
  }

  /** Put the caret into the input. */
  focusInput(): void {
    this.node.querySelector<HTMLTextAreaElement>('.jp-StopChat-input')?.focus();
  }

  /** Open the list of models. */
  openPicker(): void {
    this.view.showList(false);
    void this.renderPromise?.then(() => openPicker(this.node));
  }

  /** Called when the panel is shown for the first time. */
  onFirstShow: () => void = () => undefined;

  /** Called each time the panel is shown. */
  onShow: () => void = () => undefined;

  /** Called each time the person uses the panel. */
  onUse: () => void = () => undefined;

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._shownFirst();
    this.onShow();
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      this._shownFirst();
    }
  }

  protected onActivateRequest(_message: Message): void {
    this._use();
    void this.renderPromise?.then(() => {
      const { listOpen, renaming } = this._parts.view;
      const picks = this.node.querySelector('.jp-StopChat-models') !== null;
      if (!listOpen && !renaming && !picks) {
        this.focusInput(); // else the field that has opened has the caret
      }
    });
  }

  protected render(): JSX.Element {
    return <Root parts={this._parts} />;
  }

  private _use(): void {
    noteUsed(this.node);
    this.onUse();
  }

  private _shownFirst(): void {
    const first = this.onFirstShow;
    this.onFirstShow = () => undefined;
    first();
  }

  private _endDrops: () => void;
  private _endPastes: () => void;
}

function Root(props: { parts: PanelParts }): JSX.Element {
  const { parts } = props;
  const { shownChat } = parts;
  const controller = useSyncExternalStore(shownChat.subscribe, shownChat.getController);
  const tools = useMemo(() => ({ ...parts, controller }), [parts, controller]);
  return (
    <PanelContext.Provider value={tools}>
      <Panel />
    </PanelContext.Provider>
  );
}

function Panel(): JSX.Element {
  const { controller } = useTools();
  const { listOpen } = useView();
  const lastEsc = useRef(-Infinity);
  const root = useRef<HTMLDivElement>(null);
  // each chat has a place of its own
  // eslint-disable-next-line react-hooks/exhaustive-deps -- made anew for another chat
  const following = useMemo(() => new Following(() => performance.now()), [controller]);
  useEffect(() => {
    // on the node itself, and while bubbling: what wants Esc for itself has had it before
    const node = root.current as HTMLDivElement;
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.shiftKey || event.defaultPrevented) {
        return;
      }
      if (composes(event) || isWantedElsewhere(event)) {
        return;
      }
      if (event.repeat) {
        return; // one that is held down was pressed for what was here before, such as a dialog
      }
      const again = event.timeStamp - lastEsc.current < SECOND_ESC;
      lastEsc.current = event.timeStamp;
      const stopped = controller.stop();
      const cleared = again && controller.queue.clear();
      if (stopped || cleared) {
        event.preventDefault();
        event.stopPropagation();
      }
    };
    node.addEventListener('keydown', onKeyDown);
    return () => node.removeEventListener('keydown', onKeyDown);
  }, [controller]);
  return (
    // a press beside all controls keeps the focus in the panel, and with it Esc
    <div className="jp-StopChat-root" ref={root} tabIndex={-1}>
      <Header />
      <Banner />
      <Trouble />
      {/* the messages stay where they were scrolled to while the list is in front of them */}
      {listOpen && <ChatList />}
      <div className="jp-StopChat-conversation" hidden={listOpen}>
        <MessageList key={controller.key} following={following} />
        <Input following={following} />
      </div>
      <Status key={`status of ${controller.key}`} />
    </div>
  );
}

/** Tell whether Esc closes something else: a menu, a dialog, or a field of the panel. */
function isWantedElsewhere(event: KeyboardEvent): boolean {
  const list = '.jp-StopChat-input[data-suggests]';
  const field = `.jp-StopChat-chats, .jp-StopChat-titleInput, .jp-StopChat-editor, .jp-StopChat-approval, ${list}`;
  if (event.target instanceof Element && event.target.closest(field)) {
    return true; // its own handler is React's, and comes after this one
  }
  return document.querySelector('.jp-Dialog, .lm-Menu, .jp-Completer:not(.lm-mod-hidden)') !== null;
}

function Banner(): JSX.Element | null {
  const { controller, trans } = useTools();
  const { lost, off } = useSnapshot();
  if (!lost) {
    return null;
  }
  return (
    <div className="jp-StopChat-banner" role="alert">
      <span>
        {off
          ? trans.__("The chat is turned off on this server. The server's log says why.")
          : trans.__('Connection lost. Reconnecting…')}
      </span>
      <button
        type="button"
        className="jp-StopChat-action"
        onClick={() => controller.reconnect()}
      >
        {off ? trans.__('Try again') : trans.__('Reconnect now')}
      </button>
    </div>
  );
}

/** What could not be done with the list of chats. */
function Trouble(): JSX.Element | null {
  const { history, trans } = useTools();
  const { failure } = useHistory();
  if (failure === null) {
    return null;
  }
  return (
    <div className="jp-StopChat-notice" role="alert">
      <span>{failure || trans.__('That did not work. Try again.')}</span>
      <button
        type="button"
        className="jp-StopChat-action"
        aria-label={trans.__('Dismiss')}
        onClick={() => history.tell(null)}
      >
        ×
      </button>
    </div>
  );
}
