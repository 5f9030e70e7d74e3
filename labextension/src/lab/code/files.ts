/** Put code into a file that is open. */
import { CodeEditor } from '@jupyterlab/codeeditor';

import { fileCode } from './cellCode';

/**
 * Put code into a file, and the caret behind it.
 *
 * @param instead what is selected goes; else the code stands behind it.
 */
export function typeInto(editor: CodeEditor.IEditor, code: string, instead: boolean): void {
  const { start, end } = editor.getSelection();
  const [from, to] = [editor.getOffsetAt(start), editor.getOffsetAt(end)].sort((a, b) => a - b);
  const begin = instead ? from : to;
  const caret = editor.getPositionAt(to) as CodeEditor.IPosition;
  if (!instead) {
    editor.setSelection({ start: caret, end: caret });
  }
  const text = editor.model.sharedModel.getSource();
  const before = text.slice(text.lastIndexOf('\n', begin - 1) + 1, begin);
  const after = text.slice(to).split('\n', 1)[0];
  editor.replaceSelection?.(fileCode(code, before, after));
  editor.focus();
}
