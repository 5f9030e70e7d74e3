/** What a person has chosen for one chat, which a new one takes along when it gets its id. */
import { ControllerOptions } from '../options';
import { ChatState } from '../state';
import { effectiveMode, Mode } from '../tools/mode';

export class PerChat {
  constructor(
    private _state: ChatState,
    private _options: Pick<ControllerOptions, 'withoutPlace' | 'modes' | 'settings' | 'picked'>
  ) {
    const { chatId } = _state.now.chat;
    if (chatId !== null) {
      const withoutPlace = _options.withoutPlace?.has(chatId) ?? false;
      _state.set({ withoutPlace, mode: _options.modes?.get(chatId) ?? null });
    }
  }

  /** Tell where the person is with each prompt of this chat, or do not. */
  tellPlace(tells: boolean): void {
    const { chatId } = this._state.now.chat;
    this._state.set({ withoutPlace: !tells });
    if (chatId !== null) {
      this._options.withoutPlace?.set(chatId, !tells);
    }
  }

  /** See whether it was said elsewhere; nothing is written, as something newer may stand there by now. */
  lookAtPlace(): void {
    const { chat, withoutPlace: before } = this._state.now;
    const withoutPlace = chat.chatId === null ? before : this._options.withoutPlace?.has(chat.chatId) ?? false;
    if (withoutPlace !== before) {
      this._state.set({ withoutPlace });
    }
  }

  /** Whether the next prompt lets the model use tools. */
  get effectiveMode(): Mode {
    const { welcome, mode } = this._state.now;
    const { picked, settings } = this._options;
    return effectiveMode(welcome, mode, settings().mode, picked?.callsTools);
  }

  /** Let models of this chat use tools, or only answer. */
  setMode(mode: Mode): void {
    const { chatId } = this._state.now.chat;
    this._state.set({ mode });
    if (chatId !== null) {
      this._options.modes?.set(chatId, mode);
    }
  }

  /** The chat has got its id only now, or what was deleted is a new one from here on. */
  renamed(): void {
    const { chat, mode, withoutPlace } = this._state.now;
    if (withoutPlace) {
      this.tellPlace(chat.chatId === null);
    }
    if (chat.chatId === null) {
      this._state.set({ mode: null });
    } else if (mode !== null) {
      this.setMode(mode);
    }
  }
}
