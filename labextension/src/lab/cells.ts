/** What the chat does in the cells of notebooks: errors, changes to decide on, prompts. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { Cell, CodeCell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';

import { NextModel } from './attaching';
import { OpenNotebook } from './difference/cellHandle';
import { OpenDifferences } from './difference/openDifferences';
import { Replacing } from './difference/replacing';
import { errorAsking } from './errors/askError';
import { ErrorQuestion, ErrorRows } from './errors/errorRows';
import { isError } from './errors/traceback';
import { offerInEmptyCells } from './inCell/emptyCell';
import { InCells } from './inCell/inCells';
import { NotebookChats } from './inCell/notebookChats';
import { ChatController } from '../chat/controller';
import { OpenChats } from '../chat/openChats';
import { AboutCells } from '../stores/aboutCells';
import { ChatRoutes } from '../stores/history';
import { NotebookMemory } from '../stores/notebookMemory';

export const CellCommandIDs = {
  explainError: 'stop-chat:explain-error',
  fixError: 'stop-chat:fix-error',
  writeCell: 'stop-chat:write-cell',
  acceptChange: 'stop-chat:accept-change',
  rejectChange: 'stop-chat:reject-change'
};

export interface CellsOptions {
  app: JupyterFrontEnd;
  palette: ICommandPalette | null;
  trans: TranslationBundle;
  notebooks: INotebookTracker | null;
  models: NextModel;
  openChats: OpenChats;
  routes: ChatRoutes;
  /** Tells servers apart that have one address. */
  scope: string;
  /** Show the chat that the person used last, and return it. */
  openChat: () => ChatController;
  /** Show a chat in the sidebar. */
  show: (controller: ChatController) => void;
}

/** What others ask of it. */
export interface Cells {
  readonly replacing: Replacing;
  /** Tell whether a cell shows what becomes of a request: no notice is needed. */
  shows(requestId: string): boolean;
}

/** Begin all of it; null where there are no notebooks. */
export function cellsOf(options: CellsOptions): Cells | null {
  const { app, trans, notebooks, models, openChats, routes, scope } = options;
  if (!notebooks) {
    return null;
  }
  const abouts = new AboutCells(scope);
  const memory = new NotebookMemory(scope);
  const differences = new OpenDifferences(notebooks, trans);
  const chats = new NotebookChats({ openChats, routes, memory });
  const inCells = new InCells({
    ...{ notebooks, trans, models, chats, memory, abouts },
    openChat: options.show
  });
  openChats.onStopAll(() => inCells.giveUp());
  const ask = errorAsking({ trans, models, abouts, openChat: options.openChat });
  new ErrorRows(notebooks, trans, ask);
  offerInEmptyCells({ notebooks, trans, open: (panel, cell) => inCells.open(panel, cell) });

  /** The cell whose menu is open, else the active one. */
  const cellOf = (place: unknown): [NotebookPanel, Cell] | null => {
    const node =
      place === 'menu' && app.contextMenuHitTest(one => one.classList.contains('jp-Cell'));
    const panel = node
      ? notebooks.find(one => one.node.contains(node))
      : notebooks.currentWidget;
    const cell = node
      ? panel?.content.widgets.find(one => one.node === node)
      : panel?.content.activeCell;
    return panel && cell ? [panel, cell] : null;
  };
  const hasFailed = (cell: Cell | undefined): cell is CodeCell =>
    cell?.model.type === 'code' &&
    ((cell as CodeCell).model.outputs.toJSON() as Parameters<typeof isError>[0][]).some(isError);
  const asking = (what: ErrorQuestion, there: string, elsewhere: string) => ({
    label: ({ place }: { place?: unknown }) => (place === 'menu' ? there : elsewhere),
    isEnabled: ({ place }: { place?: unknown }) => hasFailed(cellOf(place)?.[1]),
    execute: ({ place }: { place?: unknown }) => {
      const found = cellOf(place);
      if (found && hasFailed(found[1])) {
        ask(what, found[0], found[1]);
      }
    }
  });
  const onActive = (what: (id: string, panel: NotebookPanel) => void) => () => {
    const found = cellOf(null);
    if (found) {
      what(found[1].model.id, found[0]);
    }
  };
  const hasChange = (): boolean => {
    const found = cellOf(null);
    if (!found) {
      return false;
    }
    const [{ context }, { model }] = found;
    return (
      differences.of(context, model.id) !== undefined ||
      inCells.of(context, model.id)?.phase === 'deciding'
    );
  };
  const actions = {
    explainError: asking(
      'explain',
      trans.__('Explain This Error'),
      trans.__('Explain the Error of the Active Cell')
    ),
    fixError: asking('fix', trans.__('Fix This Error'), trans.__('Fix the Error of the Active Cell')),
    writeCell: {
      label: trans.__('Write or Change the Active Cell…'),
      isEnabled: () => cellOf(null)?.[1].model.type === 'code',
      execute: () => {
        const found = cellOf(null);
        if (found) {
          inCells.open(...found);
        }
      }
    },
    acceptChange: {
      label: trans.__('Accept the Change of the Active Cell'),
      isEnabled: hasChange,
      execute: onActive((id, panel) => {
        differences.accept(id, panel);
        inCells.accept(id, panel);
      })
    },
    rejectChange: {
      label: trans.__('Reject the Change of the Active Cell'),
      isEnabled: hasChange,
      execute: onActive((id, panel) => {
        differences.reject(id, panel);
        inCells.of(panel.context, id)?.reject();
      })
    }
  };
  for (const [name, action] of Object.entries(actions)) {
    const command = CellCommandIDs[name as keyof typeof CellCommandIDs];
    const describedBy = {
      args: { type: 'object', properties: { place: { type: ['string', 'null'] } } }
    };
    app.commands.addCommand(command, { describedBy, ...action });
    options.palette?.addItem({ command, category: trans.__('Stop Chat') });
  }
  const isTaken = (notebook: OpenNotebook, id: string): boolean =>
    inCells.of(notebook, id) !== undefined;
  return {
    replacing: new Replacing({ app, trans, notebooks, abouts, differences, isTaken }),
    shows: requestId => inCells.shows(requestId)
  };
}
