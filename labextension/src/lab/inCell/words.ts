/** What is said of a prompt in a cell. */
import { TranslationBundle } from '@jupyterlab/translation';

import { PromptWords } from './cellPrompt';

export function promptWords(trans: TranslationBundle): PromptWords {
  return {
    waits: trans.__('Waits for another reply in the notebook’s chat.'),
    paused: trans.__('The queue of the notebook’s chat is paused: it goes on there.'),
    stopped: trans.__('Stopped. The cell is as it was.'),
    noCode: trans.__('The answer has no block of code. The cell is as it was; the answer is in the chat.'),
    same: trans.__('The code of the answer is what the cell holds already.'),
    cut: trans.__('The code is here, but the answer was cut short: look at its end.'),
    ready: trans.__('The code is here. Accept it or reject it.'),
    readOnly: trans.__('The cell is read-only.'),
    notSent: trans.__('That was not sent. Try again.'),
    gone: trans.__('The cell is gone. The answer is in the notebook’s chat.'),
    cannotStop: why => trans.__('Could not stop: %1', why),
    failed: why => trans.__('That failed: %1 The cell is as it was.', why)
  };
}
