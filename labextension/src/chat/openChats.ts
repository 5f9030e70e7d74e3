/**
 * All the chats of a page, on one socket. A chat has one controller, however many views show it:
 * so they are in step in the same frame, at the press of Stop too.
 *
 * It imports nothing of JupyterLab or React.
 */
import { Clock } from '../wire/clock';
import { ChatController } from './controller';
import { MessageView } from './messages';
import { ChatSettings, WithoutPlace, Words } from './options';
import { ServerFrame, Welcome } from '../wire/protocol';
import { Gather } from './sending/gathering';
import { Modes } from './tools/mode';
import { PageCalls, PageCallsOptions } from './tools/pageCalls';
import { PickedModel } from './sending/sending';
import { isTerminal } from '../wire/guards';
import { ChatSocket, SocketLike, SocketState } from '../wire/socket';

export interface OpenChatsOptions {
  clock: Clock;
  connect: () => SocketLike;
  /** Tell whether the server is there without the chat; asked when it cannot be connected to. */
  isOff?: () => Promise<boolean>;
  makeId: () => string;
  settings: () => ChatSettings;
  /** The model that the person picked; without it, the server chooses. */
  picked?: PickedModel;
  /** The notebook or file that the person has open, as its path on the server. */
  place?: () => string | null;
  /** What gathers what goes with a prompt besides what is attached. */
  gather?: Gather;
  withoutPlace?: WithoutPlace;
  modes?: Modes;
  /** What tools may ask of this page; without it, it takes no part. */
  tools?: Pick<PageCallsOptions, 'work' | 'post'>;
  /** Names this page, also over a reload; by default it gets a name of its own. */
  pageId?: string;
  /** Tell whether the person works in this page now. */
  hasFocus?: () => boolean;
  words: Words;
  /** Call once, at the next animation frame: many deltas make one change of the page. */
  nextFrame: (what: () => void, ms: number) => void;
  /** Called with each frame of the server, after the chats have received it. */
  onFrame?: (frame: ServerFrame) => void;
  /** Called with each reply that was being made here and has ended. */
  onEnd?: (reply: MessageView, controller: ChatController) => void;
}

/** How much longer a chat that no view shows is followed, in milliseconds. */
const GRACE = 1000;

export class OpenChats {
  constructor(private _options: OpenChatsOptions) {
    this._socket = new ChatSocket({
      connect: _options.connect,
      clock: _options.clock,
      onFrame: frame => this._receive(frame),
      onState: state => this._connectionChanged(state),
      offsetsOf: chatId => this._of(chatId)?.offsets() ?? {},
      expects: () => [...this._views.keys()].some(one => one.isBusy)
    });
    // the person has said in another tab of the browser whether a chat tells where they are
    _options.withoutPlace?.subscribe?.(() => this._views.forEach((_, one) => one.perChat.lookAtPlace()));
    const { clock, tools } = _options;
    this._calls =
      tools &&
      new PageCalls({
        ...{ ...tools, clock },
        send: frame => this._socket.send(frame),
        isStopped: messageId => this._isStopped(messageId)
      });
  }

  /** Connect now: also when a try is only due later. */
  connect(): void {
    this._socket.connect();
  }

  /** Tell the server that the person works in this page now: tools ask it first. */
  tellFocus(): void {
    this._tellPage(true);
  }

  dispose(): void {
    this._socket.close();
    this._views.forEach((_, controller) => controller.dispose());
    this._views.clear();
  }

  /**
   * Show a chat in one more view; `leave` ends it.
   *
   * @param chat null for a new chat; one that is shown already, also when the server does not
   *   know it yet.
   */
  open(chat: ChatController | string | null): ChatController {
    const controller =
      chat instanceof ChatController ? chat : (this._of(chat) ?? this._make(chat));
    this._views.set(controller, (this._views.get(controller) ?? 0) + 1);
    return controller;
  }

  /** Begin a new chat in a view of its own, whatever other new ones there are. */
  begin(): ChatController {
    const controller = this._make(null);
    this._views.set(controller, 1);
    return controller;
  }

  /** Show a chat in one view less; what is made in it goes on, and what was typed stays. */
  leave(controller: ChatController): void {
    this._views.set(controller, (this._views.get(controller) ?? 1) - 1);
    this._drop(controller);
  }

  /** Stop all of this person's replies, in every chat, shown or not. */
  stopAll(current: ChatController): void {
    this._stoppingAll.forEach(listener => listener());
    this._views.forEach((_, controller) => controller !== current && controller.stop());
    current.stopAll();
  }

  /** Call a listener when all is stopped: what waits to be asked for is part of it. */
  onStopAll(listener: () => void): void {
    this._stoppingAll.add(listener);
  }

  /** Find the controller of a chat; for a new one, one that no view shows any more. */
  private _of(chatId: string | null): ChatController | undefined {
    return [...this._views.keys()].find(one =>
      chatId === null ? one.isBlank && this._views.get(one) === 0 : one.chatId === chatId
    );
  }

  private _make(chatId: string | null): ChatController {
    const { onEnd, ...options } = this._options;
    const controller: ChatController = new ChatController({
      chatId,
      welcome: this._welcome,
      lost: this._lost,
      off: this._off,
      socket: this._socket,
      ...options,
      onEnd: reply => onEnd?.(reply, controller)
    });
    this._views.set(controller, 0);
    if (chatId) {
      this._socket.follow(chatId);
    }
    return controller;
  }

  /** Forget a chat that no view shows, and in which nothing is being made or waits. */
  private _drop(controller: ChatController): void {
    if (this._views.get(controller) === 0 && controller.isDone) {
      this._views.delete(controller);
      controller.dispose();
      if (controller.chatId) {
        this._socket.unfollow(controller.chatId);
      }
    }
  }

  private _connectionChanged(state: SocketState): void {
    this._lost = state === 'waiting' || (state === 'connecting' && this._lost);
    this._off = this._lost && this._off;
    this._views.forEach((_, controller) => controller.setConnection(state, this._lost));
    this._tellOff();
    if (state === 'waiting') {
      void this._askOff();
    }
  }

  /** Learn whether there is anything to connect to. */
  private async _askOff(): Promise<void> {
    const off = (await this._options.isOff?.()) ?? false;
    if (this._lost) {
      this._off = off;
      this._tellOff();
    }
  }

  private _tellOff(): void {
    this._views.forEach((_, controller) => controller.setOff(this._off));
  }

  private _receive(frame: ServerFrame): void {
    if (frame.type === 'welcome') {
      this._welcome = frame;
    }
    for (const [controller, views] of [...this._views]) {
      controller.receive(frame);
      if (views === 0 && frame.type !== 'delta') {
        // the last message's end may come right behind
        this._options.clock.after(GRACE, () => this._drop(controller));
      }
    }
    if (frame.type === 'welcome') {
      this._tellPage(this._options.hasFocus?.() ?? false);
    }
    this._calls?.receive(frame);
    this._options.onFrame?.(frame);
  }

  /** Tell that this page does what tools ask, and whether the person works in it. */
  private _tellPage(here: boolean): void {
    if (this._calls) {
      this._page ??= this._options.pageId ?? this._options.makeId();
      this._socket.send({ type: 'focus', page: this._page, here });
    }
  }

  /** Tell whether a reply was stopped in this page, or has ended. */
  private _isStopped(messageId: string): boolean {
    return [...this._views.keys()].some(({ getSnapshot }) =>
      getSnapshot().chat.messages.some(
        view => view.id === messageId && (view.frozen || isTerminal(view.info.state))
      )
    );
  }

  private _socket: ChatSocket;
  private _calls: PageCalls | undefined;
  /** The same on each of its connections. */
  private _page: string | undefined;
  private _welcome: Welcome | null = null;
  private _lost = false;
  private _off = false;
  private _stoppingAll = new Set<() => void>();
  /** How many views show each chat. */
  private _views = new Map<ChatController, number>();
}
