/** What the panel does with what tools changed: it shows it, takes it back, and makes it again. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';

import { flash } from './flash';
import { TextFiles } from './files/textFiles';
import { OpenDocuments } from './openDocuments';
import { AskedInputs } from './running/askedInputs';
import { mayRestart } from './running/restarting';
import { Undoing } from './undo/undoing';
import { reveal } from '../difference/place';
import { languageOf } from '../place/place';
import { Runs } from './running/runs';
import { AgentTools } from '../../panel/context';
import { rememberAgentTold, wasAgentTold } from '../../stores/memory';
import { ToolRoutes } from '../../stores/agent/toolRoutes';

export interface AgentToolsOptions {
  app: JupyterFrontEnd;
  documents: OpenDocuments;
  notebooks: INotebookTracker | null;
  files: TextFiles;
  routes: ToolRoutes;
  inputs: AskedInputs;
  runs: Pick<Runs, 'isRunning'>;
  trans: TranslationBundle;
  /** Tells servers apart that have one address. */
  scope: string;
}

export function agentToolsOf(options: AgentToolsOptions): AgentTools {
  const { app, documents, notebooks, files, routes, inputs, runs, trans, scope } = options;
  const undoing = new Undoing(documents, notebooks, files, routes);
  const indexIn = (panel: NotebookPanel | null, cellId: string): number =>
    panel?.context.model?.sharedModel.cells.findIndex(one => one.getId() === cellId) ?? -1;
  return {
    calls: messageId => routes.calls(messageId),
    move: (messageId, undone) => undoing.move(messageId, undone),
    indexOf: (path, cellId) => indexIn(documents.findNotebook(path), cellId),
    show: async (path, cellId) => {
      if (cellId === null) {
        return files.show(path);
      }
      const panel = await documents.reach(path, [cellId]);
      if (!panel) {
        return false;
      }
      app.shell.activateById(panel.id);
      if (indexIn(panel, cellId) < 0) {
        return false;
      }
      await reveal(panel, cellId);
      if (notebooks) {
        flash(notebooks, panel.context, cellId);
      }
      return true;
    },
    languageOf: path => {
      const panel = documents.findNotebook(path);
      return panel ? languageOf(panel) : '';
    },
    inputs: {
      subscribe: inputs.subscribe,
      asks: inputs.asks,
      goTo: cellId => inputs.goTo(cellId, panel => app.shell.activateById(panel.id))
    },
    actOnKernel: async (messageId, callId, action, path, cellId) => {
      if (action === 'restart' && !(await mayRestart(trans, path))) {
        return false;
      }
      const panel = documents.findNotebook(path);
      // another notebook may have the path by now
      if (action === 'restart' && panel && runs.isRunning(panel, cellId)) {
        // so that what the person runs meanwhile waits for the new one
        await panel.sessionContext.restartKernel();
      } else {
        await routes.kernel(messageId, callId, action);
      }
      return true;
    },
    isTold: () => wasAgentTold(scope),
    noteTold: () => rememberAgentTold(scope)
  };
}
