/** The tools that a person lets act unasked: listed in a dialog, and asked again from there. */
import { Dialog, ICommandPalette, showDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';

import { AllowedTools, ToolRoutes } from '../../stores/agent/toolRoutes';

export const ALLOWED_TOOLS = 'stop-chat:allowed-tools';

export interface AllowedToolsOptions {
  commands: CommandRegistry;
  palette: ICommandPalette | null;
  trans: TranslationBundle;
  routes: Pick<ToolRoutes, 'allowed' | 'askAgain'>;
  /** Return a chat's title; empty where it is not known. */
  titleOf: (chatId: string) => string;
  /** Tell the person what went wrong. */
  tell: (failure: string) => void;
}

/** Add the command that opens the dialog. */
export function addAllowedTools(options: AllowedToolsOptions): void {
  const { commands, palette, trans, routes, tell } = options;
  commands.addCommand(ALLOWED_TOOLS, {
    label: trans.__('Tools Allowed Without Asking…'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: async () => {
      let allowed: AllowedTools;
      try {
        allowed = await routes.allowed();
      } catch (error) {
        tell(wordsOf(error));
        return;
      }
      await showDialog({
        title: trans.__('Tools allowed without asking'),
        body: new Rules(allowed, options),
        buttons: [Dialog.okButton({ label: trans.__('Close') })],
        hasClose: true
      });
    }
  });
  palette?.addItem({ command: ALLOWED_TOOLS, category: trans.__('Stop Chat') });
}

class Rules extends Widget {
  constructor(
    { tools, locked }: AllowedTools,
    private _options: AllowedToolsOptions
  ) {
    super();
    const { trans } = _options;
    this.addClass('jp-StopChat-rules');
    if (locked) {
      this._say(trans.__('Who runs this server decides what is asked: these rules do not count.'));
    }
    if (tools.length === 0) {
      this._say(trans.__('Each tool asks before it changes or runs anything.'));
    }
    const list = document.createElement('ul');
    list.append(...tools.map(one => this._row(one)));
    this.node.append(list);
  }

  private _row({ tool, chat_id }: AllowedTools['tools'][number]): HTMLElement {
    const { trans, routes, titleOf } = this._options;
    const row = document.createElement('li');
    const name = document.createElement('code');
    name.textContent = tool;
    const where = document.createElement('span');
    where.textContent = chat_id
      ? trans.__('in the chat “%1”', titleOf(chat_id) || trans.__('Untitled chat'))
      : trans.__('in all chats');
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'jp-mod-styled jp-mod-minimal';
    button.textContent = trans.__('Ask again');
    button.setAttribute('aria-label', trans.__('Ask again: %1, %2', tool, where.textContent));
    let isAsked = false;
    button.onclick = () => {
      if (isAsked) {
        return;
      }
      isAsked = true;
      button.setAttribute('aria-disabled', 'true'); // a disabled one would lose the focus
      routes.askAgain(tool, chat_id ?? null).then(
        () => {
          const hadFocus = row.contains(document.activeElement);
          row.replaceChildren(name, ' ', trans.__('asks again'));
          if (hadFocus) {
            row.tabIndex = -1;
            row.focus(); // in the dialog, or its keys would go nowhere
          }
        },
        error => {
          isAsked = false;
          button.removeAttribute('aria-disabled');
          where.textContent = wordsOf(error);
        }
      );
    };
    row.append(name, ' ', where, ' ', button);
    return row;
  }

  private _say(words: string): void {
    const said = document.createElement('p');
    said.textContent = words;
    this.node.append(said);
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : '');
