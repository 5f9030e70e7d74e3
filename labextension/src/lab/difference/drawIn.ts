/** Keep a difference drawn in the editor of a cell. */
import { Cell } from '@jupyterlab/cells';
import { CodeMirrorEditor } from '@jupyterlab/codemirror';

import { Difference } from './difference';
import { drawing, draws, showDifference } from './drawing';

/** Draw a difference in a cell of a view; return what takes it away. */
export function drawIn(cell: Cell, difference: Difference): () => void {
  const editor = cell.editor as CodeMirrorEditor | null;
  if (!editor?.injectExtension) {
    return () => undefined; // an editor of another kind: the buttons work all the same
  }
  cell.inputHidden = false;
  if (!draws(editor.state)) {
    editor.injectExtension(drawing);
  }
  let isDue = false;
  let isOver = false;
  const draw = (): void => {
    isDue = false;
    if (!editor.isDisposed) {
      const { proposed, grows, count, current } = difference;
      const shown = { proposed, current: grows || count < 2 ? -1 : current };
      editor.editor.dispatch({ effects: showDifference.of(isOver ? null : shown) });
    }
  };
  const drawSoon = (): void => {
    if (!isDue) {
      isDue = true;
      // what changed the cell may be an editor that is in the middle of an update
      queueMicrotask(draw);
    }
  };
  const end = difference.subscribe(drawSoon);
  drawSoon();
  return () => {
    end();
    isOver = true;
    drawSoon();
  };
}
