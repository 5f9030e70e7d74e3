/** Tell of a reply that ended while nobody looked at its chat. */
import { Notification } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';

import { ChatController } from '../chat/controller';
import { brokeOff } from '../wire/guards';
import { MessageView } from '../chat/messages';

/** How long a notification stays in the corner, in milliseconds; afterwards it is in the list. */
const STAYS = 8000;
/** How much of a prompt is shown where there is no title, in UTF-16 code units. */
const LONGEST = 60;

export interface EndNoticeOptions {
  trans: TranslationBundle;
  isOn: () => boolean;
  /** Tell whether a chat is looked at. */
  shows: (chatId: string) => boolean;
  open: (chatId: string) => void;
}

/**
 * Return a function that notifies of the end of a reply.
 *
 * Nobody is notified of a stopped reply: whoever stopped it knows, and it is not complete.
 */
export function endNoticeOf(
  options: EndNoticeOptions
): (reply: MessageView, controller: ChatController) => void {
  const { trans } = options;
  return (reply, controller) => {
    const { chatId } = controller;
    const { state, finish_reason: reason } = reply.info;
    const early = brokeOff(reply.info) || (state === 'completed' && !!reason);
    const stopped = state === 'interrupted' && !early;
    if (stopped || !chatId || !options.isOn() || options.shows(chatId)) {
      return;
    }
    const title = nameOf(controller) || trans.__('Untitled chat');
    const actions: Notification.IAction[] = [
      {
        label: trans.__('Open'),
        displayType: 'accent',
        callback: () => options.open(chatId)
      }
    ];
    if (early) {
      const said = trans.__('A reply has ended early in “%1”.', title);
      Notification.warning(said, { actions, autoClose: STAYS });
    } else if (state === 'completed') {
      const said = trans.__('A reply is complete in “%1”.', title);
      Notification.success(said, { actions, autoClose: STAYS });
    } else {
      const said = trans.__('A reply has failed in “%1”.', title);
      Notification.error(said, { actions, autoClose: STAYS });
    }
  };
}

/** Name a chat: its first reply ends before it has a title, so that its first prompt must do. */
function nameOf(controller: ChatController): string {
  const { chat, messages } = controller.getSnapshot().chat;
  const words = (messages[0]?.text ?? '').trim().replace(/\s+/g, ' ');
  return chat?.title || (words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words);
}
