/** Files of text by their paths: as they are open in this page, else as they are saved. */
import { IDocumentManager } from '@jupyterlab/docmanager';
import { Contents, ServerConnection } from '@jupyterlab/services';

import { writeOpen } from './writing';
import { OpenDocuments } from '../openDocuments';
import { PageFailure } from '../../../chat/tools/pageCalls';

export interface TextFilesOptions {
  open: OpenDocuments;
  /** Null where there is none. */
  documents: Pick<IDocumentManager, 'deleteFile' | 'openOrReveal'> | null;
  contents: Pick<Contents.IManager, 'get' | 'save'>;
}

/** What shows a file as its text, whatever else could. */
const EDITOR = 'Editor';

export class TextFiles {
  constructor(private _options: TextFilesOptions) {}

  /**
   * Return the text of a file; null where there is none.
   *
   * @throws PageFailure where it cannot be read.
   */
  async read(path: string): Promise<string | null> {
    const open = await this._open(path);
    if (open) {
      return open.model.toString();
    }
    let content: unknown;
    try {
      // which does not come unasked where there are other options
      const asked = { type: 'file', format: 'text', content: true } as const;
      content = (await this._options.contents.get(path, asked)).content;
    } catch (error) {
      if (isMissing(error)) {
        return null;
      }
      throw new PageFailure('not_open');
    }
    if (typeof content !== 'string') {
      throw new PageFailure('not_open');
    }
    return plainLines(content);
  }

  /**
   * Have a file be another text, in its editor, and tell whether it was saved; null: no file.
   *
   * @param before its text as it was read.
   * @param after of a new file with the ends of lines that it is to have.
   * @throws PageFailure where it cannot be, or is not what was read.
   */
  async put(path: string, before: string | null, after: string | null): Promise<boolean> {
    if (before === null) {
      const content = after ?? '';
      await orFailed(this._options.contents.save(path, { type: 'file', format: 'text', content }));
    } else if (after === null) {
      await this._delete(path);
    } else {
      if (!(await this._open(path))) {
        await this.show(path);
      }
      const open = await this._open(path);
      if (!open) {
        throw new PageFailure('not_open');
      }
      return writeOpen(open, before, after, () => undefined);
    }
    return true;
  }

  /** Show a file in its editor; tell whether it is there. */
  async show(path: string): Promise<boolean> {
    await this._options.documents?.openOrReveal(path, EDITOR)?.revealed.catch(() => undefined);
    return (await this._open(path)) !== null;
  }

  private async _open(path: string): ReturnType<OpenDocuments['text']> {
    return this._options.open.text(path);
  }

  /** Its tabs go as well, as where a person deletes a file. */
  private async _delete(path: string): Promise<void> {
    const { documents } = this._options;
    if (!documents) {
      throw new PageFailure('not_open');
    }
    await orFailed(
      documents.deleteFile(path).catch((error: unknown) => {
        if (!isMissing(error)) {
          throw error;
        }
      })
    );
  }
}

/** Return a text with the ends of its lines as an editor has them. */
export function plainLines(text: string): string {
  return text.includes('\r\n') ? text.replace(/\r\n/g, '\n') : text.replace(/\r/g, '\n');
}

async function orFailed(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch {
    throw new PageFailure('failed');
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof ServerConnection.ResponseError && error.response.status === 404;
}
