/** Writes of an open file: in its editor, as one step of undo, and then it is saved. */
import { DocumentRegistry } from '@jupyterlab/docregistry';

import { PageFailure } from '../../../chat/tools/pageCalls';
import { editsBetween } from '../../../text/edits';
import { editInOneStep, SharedText } from '../../difference/oneStep';

export type OpenFile = DocumentRegistry.Context;

/** So long is waited for a file that is being saved, in milliseconds: a person may be asked. */
export const SAVING = 10_000;

/**
 * Write a file, and tell whether it was saved in time: else JupyterLab tells the person why not.
 *
 * @param before the text as it must be; null never is.
 * @param begin is called in the step in which something is changed, and throws where it must not.
 * @throws PageFailure where the file is not as expected.
 */
export async function writeOpen(
  context: OpenFile,
  before: string | null,
  text: string,
  begin: () => void
): Promise<boolean> {
  const { model, contentsModel } = context;
  if (model.toString() !== before) {
    throw new PageFailure('changed');
  }
  if (model.readOnly || contentsModel?.writable === false) {
    throw new PageFailure('read_only');
  }
  begin();
  editInOneStep(model.sharedModel as unknown as SharedText, editsBetween(before, text));
  // a person who is asked, as it was changed on the disk, may take that instead: nothing is saved
  return (await isSaved(context)) && model.toString() === text;
}

async function isSaved(context: OpenFile): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), SAVING);
  });
  const saving = context.save().then(
    () => true,
    () => false
  );
  const saved = await Promise.race([saving, tooLate]);
  clearTimeout(timer);
  return saved;
}
