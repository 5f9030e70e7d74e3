/** What is asked in a dialog, or handed to the person as a file. */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';

import { ChatHistory, ExportFormat } from '../stores/history';

/** Ask whether a chat is to be deleted, and delete it; tell whether it was. */
export async function deleteChat(
  history: ChatHistory,
  trans: TranslationBundle,
  chatId: string,
  title: string
): Promise<boolean> {
  const answer = await showDialog({
    title: trans.__('Delete the chat?'),
    body: trans.__('“%1” will be deleted for good. A reply that is being made in it stops.', title),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: trans.__('Delete') })
    ],
    defaultButton: 0
  });
  return answer.button.accept && (await history.remove(chatId));
}

/** Hand a chat to the person as a file. */
export async function exportChat(
  history: ChatHistory,
  chatId: string,
  format: ExportFormat,
  title: string
): Promise<void> {
  let file: Blob;
  try {
    file = await history.download(chatId, format);
  } catch (error) {
    history.tell(error instanceof Error ? error.message : '');
    return;
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = `${title.replace(/[^\p{L}\p{N} ._-]+/gu, ' ').trim().slice(0, 80) || 'chat'}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
