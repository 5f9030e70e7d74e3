/** What is dragged onto the panel or pasted: files of the file browser and the desktop, and cells. */
import { Drag } from '@lumino/dragdrop';

import { cellText, kindOf } from '../chat/attachments';

/** What the file browser says that it drags: a list of paths. */
const PATHS = 'application/x-jupyter-icontents';
/** What a notebook says that it drags: a list of cells. */
const CELLS = 'application/vnd.jupyter.cells';

export interface DropTarget {
  paths(paths: readonly string[]): void;
  files(files: readonly File[]): void;
  cells(text: string): void;
}

/** Accept what is dropped on a node; return a function that ends that. */
export function acceptDrops(node: HTMLElement, target: DropTarget): () => void {
  const over = (is: boolean): boolean => node.classList.toggle('jp-mod-dropTarget', is);
  const wants = (event: Drag.Event): boolean =>
    event.mimeData.hasData(PATHS) || event.mimeData.hasData(CELLS);
  const onLumino = (raw: Event): void => {
    const event = raw as Drag.Event;
    if (!wants(event)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    // the file browser offers to move only, and nothing is dropped that is not offered
    event.dropAction = event.mimeData.hasData(PATHS) ? event.proposedAction : 'copy';
    over(event.type === 'lm-dragenter' || event.type === 'lm-dragover');
    if (event.type === 'lm-drop') {
      if (event.mimeData.hasData(PATHS)) {
        target.paths(event.mimeData.getData(PATHS) as string[]);
      } else {
        const cells = event.mimeData.getData(CELLS) as Parameters<typeof cellText>[0][];
        target.cells(cells.map(cell => cellText(cell)).join('\n\n'));
      }
    }
  };
  const onNative = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes('Files')) {
      return;
    }
    event.preventDefault(); // else the browser leaves the page for the file
    event.stopPropagation();
    event.dataTransfer.dropEffect = 'copy';
    over(event.type === 'dragover');
    if (event.type === 'drop') {
      target.files([...event.dataTransfer.files]);
    }
  };
  const lumino = ['lm-dragenter', 'lm-dragover', 'lm-dragleave', 'lm-drop'];
  const native = ['dragover', 'dragleave', 'drop'] as const;
  lumino.forEach(type => node.addEventListener(type, onLumino));
  native.forEach(type => node.addEventListener(type, onNative));
  return () => {
    lumino.forEach(type => node.removeEventListener(type, onLumino));
    native.forEach(type => node.removeEventListener(type, onNative));
  };
}

/** Accept pictures that are pasted into a node; return a function that ends that. */
export function acceptPastes(node: HTMLElement, take: (files: readonly File[]) => void): () => void {
  const onPaste = (event: ClipboardEvent): void => {
    const { clipboardData: pasted } = event;
    const files = [...(pasted?.files ?? [])].filter(file => kindOf(file.name, file.type) !== 'text');
    // a table of cells comes as words and as a picture of them: the words are meant
    if (files.length > 0 && !pasted?.getData('text/plain').trim()) {
      event.preventDefault();
      take(files);
    }
  };
  node.addEventListener('paste', onPaste);
  return () => node.removeEventListener('paste', onPaste);
}
