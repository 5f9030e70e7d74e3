/** Which chat one view shows, until the person opens another one. */
import { ChatController } from './controller';
import { OpenChats } from './openChats';

export class ShownChat {
  /**
   * @param chat the chat to begin with; null for a new one.
   * @param onChat is called with the id of the chat each time another one is shown.
   */
  constructor(
    private _openChats: OpenChats,
    chat: ChatController | string | null,
    private _onChat: (chatId: string | null) => void = () => undefined
  ) {
    this._controller = _openChats.open(chat);
    this._told = this._controller.chatId;
    this._unsubscribe = this._controller.subscribe(this._tell);
  }

  get controller(): ChatController {
    return this._controller;
  }

  readonly getController = (): ChatController => this._controller;

  /** Call a listener whenever the chat has changed, or another one is shown. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /**
   * Show another chat; what is being made in this one goes on.
   *
   * @param chatId null for a new one.
   */
  show(chatId: string | null): void {
    const before = this._controller;
    if (chatId === null ? before.isBlank : before.chatId === chatId) {
      return;
    }
    this._unsubscribe();
    this._controller = this._openChats.open(chatId);
    this._unsubscribe = this._controller.subscribe(this._tell);
    this._openChats.leave(before);
    this._tell();
  }

  dispose(): void {
    this._unsubscribe();
    this._listeners.clear();
    this._openChats.leave(this._controller);
  }

  private _tell = (): void => {
    const { chatId } = this._controller;
    if (chatId !== this._told) {
      this._told = chatId;
      this._onChat(chatId);
    }
    [...this._listeners].forEach(listener => listener());
  };

  private _controller: ChatController;
  private _told: string | null;
  private _unsubscribe: () => void;
  private _listeners = new Set<() => void>();
}
