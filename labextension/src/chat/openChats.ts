/**
 * All the chats of a page, on one socket. A chat has one controller, however many views show it:
 * so they are in step in the same frame, at the press of Stop too.
 *
 * It imports nothing of JupyterLab or React.
 */
import { Clock } from '../wire/clock';
import { ChatController, ChatSettings, Words } from './controller';
import { MessageView } from './messages';
import { ServerFrame, Welcome } from '../wire/protocol';
import { PickedModel } from './sending/sending';
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
  }

  /** Connect now: also when a try is only due later. */
  connect(): void {
    this._socket.connect();
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

  /** Show a chat in one view less; what is made in it goes on, and what was typed stays. */
  leave(controller: ChatController): void {
    this._views.set(controller, (this._views.get(controller) ?? 1) - 1);
    this._drop(controller);
  }

  /** Stop all of this person's replies, in every chat, shown or not. */
  stopAll(current: ChatController): void {
    this._views.forEach((_, controller) => controller !== current && controller.stop());
    current.stopAll();
  }

  /** Find the controller of a chat; for a new one, one that no view shows any more. */
  private _of(chatId: string | null): ChatController | undefined {
    return [...this._views.keys()].find(one =>
      chatId === null ? one.isBlank && this._views.get(one) === 0 : one.chatId === chatId
    );
  }

  private _make(chatId: string | null): ChatController {
    const { clock, makeId, settings, picked, words, nextFrame, onEnd } = this._options;
    const controller: ChatController = new ChatController({
      chatId,
      welcome: this._welcome,
      lost: this._lost,
      off: this._off,
      socket: this._socket,
      clock,
      makeId,
      settings,
      picked,
      words,
      nextFrame,
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
    this._options.onFrame?.(frame);
  }

  private _socket: ChatSocket;
  private _welcome: Welcome | null = null;
  private _lost = false;
  private _off = false;
  /** How many views show each chat. */
  private _views = new Map<ChatController, number>();
}
