/** What a cell of a notebook showed, as it can be attached. */
import { NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';

import { nameOf, outputPictures, outputsText } from '../chat/attachments';
import { Attachment } from '../wire/protocol';

export interface Outputs {
  /** What it printed; null if it printed no words. */
  readonly printed: Attachment | null;
  readonly pictures: readonly File[];
}

/** Return what a cell showed. */
export function outputsOf(
  panel: NotebookPanel | null,
  at: number,
  trans: TranslationBundle
): Outputs {
  const cell = panel?.content.widgets[at];
  if (!panel || !cell) {
    return { printed: null, pictures: [] };
  }
  const written = cell.model.toJSON();
  const title = panel.title.label;
  const text = outputsText(written);
  const name = nameOf(trans.__('Output of cell %1 of %2', at + 1, title));
  const shown = outputPictures(written);
  return {
    printed: text ? { name, text, mime_type: 'text/markdown' } : null,
    pictures: shown.map(({ type, bytes }, n) => {
      const called =
        shown.length > 1
          ? trans.__('Picture %1 of cell %2 of %3', n + 1, at + 1, title)
          : trans.__('Picture of cell %1 of %2', at + 1, title);
      return new File([bytes], called, { type });
    })
  };
}
