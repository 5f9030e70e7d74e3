/** Files that a prompt names: their paths as they are typed, and what is in them. */
import { IDocumentManager } from '@jupyterlab/docmanager';
import { Contents, ServerConnection } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';

import { kindOf, notebookText } from '../../chat/attachments';
import { NotGathered, Occasion } from '../../chat/sending/gathering';
import { Attachment } from '../../wire/protocol';
import { Uploading } from '../uploading';

/** The largest file that is read, in bytes: it is shortened to what goes with a prompt. */
const MOST_READ = 50_000_000;
/** How long a folder is not listed again, in milliseconds: so long a name is typed. */
const LISTED = 5000;
/** So many paths are offered. */
const MOST_OFFERED = 50;

/** What is in a file. */
type Read = Omit<Attachment, 'name' | 'kind'>;

export class NamedFiles {
  /** @param _documents knows what is open, with what is not saved yet; null where there is none. */
  constructor(
    private _contents: Pick<Contents.IManager, 'get'>,
    private _documents: Pick<IDocumentManager, 'findWidget'> | null,
    private _uploading: Pick<Uploading, 'ofServer'>,
    private _trans: TranslationBundle
  ) {}

  /** Return the paths that begin so, folders with a `/` behind them; none where that is no path. */
  async startingWith(typed: string): Promise<string[]> {
    if (isOutside(typed)) {
      return [];
    }
    const at = typed.lastIndexOf('/') + 1;
    const [folder, begun] = [typed.slice(0, at), typed.slice(at).toLowerCase()];
    const inside = await this._inside(folder.replace(/\/$/, ''));
    return inside
      .filter(one => one.name.toLowerCase().startsWith(begun) && !one.name.includes('"'))
      .map(one => `${folder}${one.name}${one.type === 'directory' ? '/' : ''}`)
      .sort((one, other) => one.localeCompare(other))
      .slice(0, MOST_OFFERED);
  }

  /**
   * Return what is in a file, as text, or as the picture that it is: what is open counts as it is,
   * saved or not.
   */
  async read(path: string, { limits, signal }: Pick<Occasion, 'limits' | 'signal'>): Promise<Read> {
    const trans = this._trans;
    if (isOutside(path)) {
      throw new NotGathered(trans.__('“%1” is outside the folder of the server.', path));
    }
    const open = this._open(path);
    if (open !== null) {
      return asText(open);
    }
    let about: Contents.IModel;
    try {
      about = await this._contents.get(path, { content: false });
    } catch (error) {
      const status = error instanceof ServerConnection.ResponseError ? error.response.status : 0;
      throw new NotGathered(
        status >= 400 && status < 500
          ? trans.__(
              '“%1” was not found. Hidden files, and files outside the folder of the server, cannot be sent.',
              path
            )
          : trans.__('“%1” could not be read. Try again.', path)
      );
    }
    if (about.type === 'directory') {
      throw new NotGathered(trans.__('“%1” is a folder.', path));
    }
    const isText = kindOf(path) === 'text';
    if ((about.size ?? 0) > (isText ? MOST_READ : limits.max_upload_bytes)) {
      throw new NotGathered(trans.__('“%1” is too large to be sent.', path));
    }
    if (!isText) {
      return this._uploaded(path, signal);
    }
    const isNotebook = about.type === 'notebook';
    const format = isNotebook ? {} : { format: 'text' as const };
    try {
      const model = await this._contents.get(path, { ...format, content: true });
      return asText(isNotebook ? model.content : String(model.content));
    } catch {
      throw new NotGathered(
        isNotebook
          ? trans.__('“%1” is no notebook that can be read.', path)
          : trans.__('“%1” is no text file.', path)
      );
    }
  }

  /** Read one after another: a server takes in so many of one person at once, and refuses more. */
  private _uploaded(path: string, signal: AbortSignal): Promise<Read> {
    const read = this._before.then(() => this._upload(path, signal));
    this._before = read.catch(() => undefined);
    return read;
  }

  /** Read a picture, or the words of a document. */
  private async _upload(path: string, signal: AbortSignal): Promise<Read> {
    try {
      signal.throwIfAborted(); // it was given up meanwhile, and nothing is asked for it
      return await this._uploading.ofServer(path, path.split('/').pop() ?? path, signal);
    } catch (error) {
      // the server's sentence; of the contents manager's, which may name a path, nothing is told
      const isTold = error instanceof Error && !(error instanceof ServerConnection.ResponseError);
      const why = isTold ? error.message : this._trans.__('It could not be read.');
      throw new NotGathered(this._trans.__('“%1” cannot be sent. %2', path, why));
    }
  }

  /** List a folder; none where it is none, or cannot be read. It is asked for once, not at each key. */
  private _inside(folder: string): Promise<readonly Contents.IModel[]> {
    const listed = this._listed;
    if (listed?.folder === folder && Date.now() < listed.until) {
      return listed.inside;
    }
    const inside = this._contents.get(folder, { content: true }).then(
      found => (found.type === 'directory' ? (found.content as Contents.IModel[]) : []),
      () => {
        this._listed = null; // it is tried anew
        return [];
      }
    );
    this._listed = { folder, inside, until: Date.now() + LISTED };
    return inside;
  }

  /** What is open in the page: words, or a notebook; null where it is not. */
  private _open(path: string): unknown {
    // in whichever view: a table that is edited as text is open, too
    const context = this._documents?.findWidget(path, null)?.context;
    if (!context?.isReady) {
      return null;
    }
    const { model, contentsModel } = context;
    if (contentsModel?.type === 'notebook') {
      return model.toJSON();
    }
    return contentsModel?.format === 'text' ? model.toString() : null;
  }

  /** The reading that the next one waits for. */
  private _before: Promise<unknown> = Promise.resolve();
  /** The folder that was listed last, and until when that counts. */
  private _listed: { folder: string; inside: Promise<readonly Contents.IModel[]>; until: number } | null =
    null;
}

/** Tell whether a path leads out of the server's folder; an address would be made of it. */
function isOutside(path: string): boolean {
  return path.split(/[\\/]/).includes('..') || path.includes('\0');
}

function asText(content: unknown): Read {
  if (typeof content === 'string') {
    return { text: content, mime_type: 'text/plain' };
  }
  const text = notebookText(content);
  if (text === null) {
    throw new Error('no notebook');
  }
  return { text, mime_type: 'text/markdown' };
}
