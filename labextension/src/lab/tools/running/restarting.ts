/** What is asked before a kernel ends with all that it holds. */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';

/** Ask whether a notebook's kernel may be restarted; tell what was answered. */
export async function mayRestart(trans: TranslationBundle, path: string): Promise<boolean> {
  const name = path.split('/').pop() ?? path;
  const answer = await showDialog({
    title: trans.__('Restart the kernel?'),
    body: trans.__(
      'All that runs in the kernel of %1 ends, and its variables are lost. The cells and their outputs stay.',
      name
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: trans.__('Restart') })
    ],
    defaultButton: 0
  });
  return answer.button.accept;
}
