/** A draft whose files were on their way when the page was loaded again: its words come back. */
import { TranslationBundle } from '@jupyterlab/translation';

import { ShownChat } from '../chat/shownChat';
import { rememberDraft, takeDraft } from '../stores/memory';

/** A page that is there so long after it was to be left has stayed, in milliseconds. */
const STAYS = 5000;

/** Keep a view's draft over a reload while files are on their way, and give back what was kept. */
export function keepBrokenDraft(
  shownChat: ShownChat,
  scope: string,
  trans: TranslationBundle
): void {
  const broken = takeDraft(scope);
  if (broken) {
    const { controller } = shownChat;
    const { text, attachments, lacks } = broken;
    controller.giveBack({ text, attachments });
    controller.tell(
      trans.__(
        'The page was loaded again while this was on its way, so it is not attached: %1. Attach it again.',
        lacks.join(', ')
      )
    );
  }
  let kept = false;
  let leaves = false;
  window.addEventListener('beforeunload', () => {
    // what is on its way breaks off now, which is no end of it
    leaves = true;
    setTimeout(() => (leaves = false), STAYS);
  });
  const look = (): void => {
    if (leaves) {
      return;
    }
    const { prompt, uploads } = shownChat.controller.getSnapshot();
    if (uploads.length > 0) {
      kept = true;
      rememberDraft(scope, { ...prompt.draft, lacks: uploads.map(one => one.name) });
    } else if (kept) {
      kept = false;
      rememberDraft(scope, null);
    }
  };
  shownChat.subscribe(look);
}
