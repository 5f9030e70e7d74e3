/** What models are told before a chat: written in one dialog, and looked at in another. */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { InstructionRoutes, LONGEST, Sent } from '../stores/instructionRoutes';

export class InstructionDialogs {
  /** @param tell tells the person what went wrong. */
  constructor(
    private _routes: InstructionRoutes,
    private _trans: TranslationBundle,
    private _tell: (failure: string) => void
  ) {}

  /**
   * Let the person write their own instructions, and those of a chat.
   *
   * @param chatId the chat; null for one that has not begun.
   */
  async edit(chatId: string | null): Promise<void> {
    const { _routes: routes, _trans: trans } = this;
    let before: [string, string];
    try {
      before = await Promise.all([routes.own(), chatId ? routes.ofChat(chatId) : '']);
    } catch (error) {
      this._tell(wordsOf(error));
      return;
    }
    let given = before;
    let failure = '';
    for (;;) {
      const answer = await showDialog({
        title: trans.__('Instructions'),
        body: new Fields(trans, given, chatId !== null, failure),
        buttons: [
          Dialog.cancelButton({ label: trans.__('Cancel') }),
          Dialog.okButton({ label: trans.__('Save') })
        ],
        focusNodeSelector: 'textarea'
      });
      if (!answer.button.accept || !answer.value) {
        return;
      }
      given = answer.value;
      try {
        if (given[0] !== before[0]) {
          await routes.setOwn(given[0]);
        }
        if (chatId && given[1] !== before[1]) {
          await routes.setOfChat(chatId, given[1]);
        }
        return;
      } catch (error) {
        failure = wordsOf(error); // what was written is shown again
      }
    }
  }

  /** Show the instructions and the prompt that a reply was made with. */
  async showSent(messageId: string): Promise<void> {
    const { _trans: trans } = this;
    let sent: Sent;
    try {
      sent = await this._routes.sent(messageId);
    } catch (error) {
      this._tell(wordsOf(error));
      return;
    }
    await showDialog({
      title: trans.__('What was sent'),
      body: new SentTexts(trans, sent),
      buttons: [Dialog.okButton({ label: trans.__('Close') })],
      hasClose: true
    });
  }
}

/** The fields in which instructions are written. */
class Fields extends Widget implements Dialog.IBodyWidget<[string, string]> {
  constructor(
    trans: TranslationBundle,
    given: readonly [string, string],
    hasChat: boolean,
    failure: string
  ) {
    super();
    this.addClass('jp-StopChat-instructions');
    if (failure) {
      const told = element('p', failure);
      told.setAttribute('role', 'alert');
      this.node.append(told);
    }
    this._own = this._add(trans.__('For all your chats'), given[0]);
    this._chat = this._add(trans.__('For this chat'), given[1]);
    this._chat.disabled = !hasChat;
    const note = hasChat
      ? trans.__('They hold from the next reply on, and are sent with each prompt.')
      : trans.__('This chat can have its own once it has begun.');
    this.node.append(element('p', note));
  }

  getValue(): [string, string] {
    return [this._own.value, this._chat.value];
  }

  private _add(name: string, text: string): HTMLTextAreaElement {
    const label = element('label', name);
    const field = document.createElement('textarea');
    field.className = 'jp-mod-styled';
    field.rows = 6;
    field.maxLength = LONGEST;
    field.value = text;
    label.append(field);
    this.node.append(label);
    return field;
  }

  private _own: HTMLTextAreaElement;
  private _chat: HTMLTextAreaElement;
}

/** The instructions and the prompt as they were sent, each character of them. */
class SentTexts extends Widget {
  constructor(trans: TranslationBundle, sent: Sent) {
    super();
    this.addClass('jp-StopChat-sentTexts');
    if (sent.texts.length > 0 || sent.incomplete) {
      this.node.append(element('h3', trans.__('Before the chat')));
    }
    if (sent.texts.length > 1) {
      this._say(trans.__('The reply was gone on with under other instructions.'));
    }
    sent.texts.forEach(text => this._show(trans.__('Instructions'), text));
    if (sent.incomplete) {
      this._say(trans.__('Not all of what was sent could be kept.'));
    }
    if (typeof sent.prompt === 'string') {
      this.node.append(element('h3', trans.__('The prompt, with all that went with it')));
      this._show(trans.__('Prompt'), sent.prompt);
    }
  }

  private _say(words: string): void {
    this.node.append(element('p', words));
  }

  private _show(name: string, text: string): void {
    const shown = element('pre', text);
    shown.tabIndex = 0; // to scroll it by keys
    shown.setAttribute('role', 'region');
    shown.setAttribute('aria-label', name);
    this.node.append(shown);
  }
}

function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  text: string
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
