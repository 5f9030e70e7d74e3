/** Edits of a text that is open: one step of undo, apart from what was typed before and after. */
import { Edit } from '../../text/edits';

/** What of a shared text is needed, and what its interface does not name. */
export interface SharedText {
  transact(change: () => void): void;
  updateSource(from: number, to: number, insert: string): void;
  readonly undoManager?: { stopCapturing(): void } | null;
}

/** @param edits from the first to the last. */
export function editInOneStep(shared: SharedText, edits: readonly Edit[]): void {
  const { undoManager } = shared;
  undoManager?.stopCapturing();
  shared.transact(() => {
    for (const { from, to, insert } of [...edits].reverse()) {
      shared.updateSource(from, to, insert);
    }
  });
  undoManager?.stopCapturing();
}
