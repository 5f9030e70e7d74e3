/** What is asked in a dialog before it is done to a chat. */
import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';

import { ChatHistory } from '../stores/history';

/** Ask whether a chat is to be deleted, and delete it; tell whether it was. */
export async function deleteChat(
  history: ChatHistory,
  trans: TranslationBundle,
  chatId: string,
  title: string
): Promise<boolean> {
  const name = title || trans.__('Untitled chat');
  const answer = await showDialog({
    title: trans.__('Delete the chat?'),
    body: trans.__('“%1” will be deleted for good. A reply that is being made in it stops.', name),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: trans.__('Delete') })
    ],
    defaultButton: 0
  });
  return answer.button.accept && (await history.remove(chatId));
}

/** Ask for a chat's title, and give it to it; a blank one changes nothing. */
export async function renameChat(
  history: ChatHistory,
  trans: TranslationBundle,
  chatId: string,
  title: string
): Promise<void> {
  const answer = await InputDialog.getText({
    title: trans.__('Rename the chat'),
    label: trans.__('Title'),
    text: title,
    cancelLabel: trans.__('Cancel'),
    okLabel: trans.__('Rename')
  });
  const given = answer.button.accept ? (answer.value ?? '').trim().slice(0, MOST) : '';
  if (given !== '' && given !== title) {
    await history.rename(chatId, given);
  }
}

/** The longest title, in characters. */
const MOST = 200;
