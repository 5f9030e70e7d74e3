/** The views of the page: one in the sidebar, and as many tabs of the main area as there are. */
import { StopChatPanel } from '../panel/panel';

export class Views {
  /** @param sidebar it is always there. */
  constructor(readonly sidebar: StopChatPanel) {
    this._last = sidebar;
    this.add(sidebar);
  }

  /** The one that the person used last: what commands act on. */
  get current(): StopChatPanel {
    return this._last.isDisposed ? this.sidebar : this._last;
  }

  add(panel: StopChatPanel): void {
    this._all.add(panel);
    panel.onUse = () => {
      if (this._last !== panel) {
        this._last = panel;
        this._tell();
      }
    };
    panel.onShow = () => this._tell();
    panel.shownChat.subscribe(() => this._tell());
    panel.disposed.connect(() => {
      this._all.delete(panel);
      this._tell();
    });
  }

  /** Tell whether a chat is looked at: it is shown in a view that can be seen. */
  shows(chatId: string): boolean {
    return [...this._all].some(panel => panel.isVisible && panel.shownChat.controller.chatId === chatId);
  }

  /** The chats that are looked at. */
  get shown(): string[] {
    return [...this._all]
      .filter(panel => panel.isVisible)
      .flatMap(panel => panel.shownChat.controller.chatId ?? []);
  }

  /** Call a listener whenever what the views show has changed. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  private _tell(): void {
    [...this._listeners].forEach(listener => listener());
  }

  private _last: StopChatPanel;
  private _all = new Set<StopChatPanel>();
  private _listeners = new Set<() => void>();
}
