/** Ask the chat about the error of a cell. */
import { CodeCell } from '@jupyterlab/cells';
import { NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';

import { AskError } from './errorRows';
import { failedCellText } from './traceback';
import { NextModel } from '../attaching';
import { fitting } from '../code/fitting';
import { ChatController } from '../../chat/controller';
import { contextName } from '../../chat/place/mentions';
import { AboutCells } from '../../stores/aboutCells';
import { Attachment } from '../../wire/protocol';

export interface AskErrorOptions {
  trans: TranslationBundle;
  models: NextModel;
  abouts: AboutCells;
  /** Show the chat that the person used last, and return it. */
  openChat: () => ChatController;
}

/** Return what asks about an error: it opens the chat and sends the question at once. */
export function errorAsking(options: AskErrorOptions): AskError {
  const { trans, models, abouts, openChat } = options;
  return (what, panel, cell) => {
    const controller = openChat();
    const body =
      what === 'fix'
        ? trans.__(
            'Fix the error in this cell. Give all of the cell’s new code in one code block, and say in a sentence what was wrong.'
          )
        : trans.__('Explain the error in this cell: what it means, and where it comes from.');
    const note = trans.__('[The middle is left out.]');
    const attachment = fitting(controller, models, about(panel, cell), note);
    // refused or stopped, it comes back as any prompt does; what is typed already stays
    const requestId = controller.ask({ text: body, attachments: [attachment] });
    if (requestId !== null) {
      const source = cell.model.sharedModel.getSource();
      abouts.note(requestId, { path: panel.context.path, cell: cell.model.id, source });
    }
  };

  function about(panel: NotebookPanel, cell: CodeCell): Attachment {
    const at = panel.content.widgets.indexOf(cell) + 1;
    const name = contextName('@error – ', trans.__('cell %1 of %2', at, panel.title.label));
    const language = panel.context.model.defaultKernelLanguage || 'python';
    const text = failedCellText(cell.model.toJSON(), language);
    return { name, text, mime_type: 'text/markdown', kind: 'context' };
  }
}
