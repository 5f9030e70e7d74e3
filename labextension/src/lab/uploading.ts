/** Pictures and documents on their way to the server, and what of them goes with a prompt. */
import { Contents } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';

import { kindOf, nameOf } from '../chat/attachments';
import { ChatController } from '../chat/controller';
import { DocumentText, UploadRoutes } from '../stores/uploadRoutes';
import { Attachment } from '../wire/protocol';

/** A file that is not attached: the message is for the person; it is empty where they gave it up. */
export class NotUploaded extends Error {}

export class Uploading {
  constructor(
    private _routes: UploadRoutes,
    private _contents: Pick<Contents.IManager, 'get'>,
    private _trans: TranslationBundle
  ) {}

  /** Upload a picture or a document; null if it is neither. */
  async file(
    controller: ChatController,
    name: string,
    file: Blob,
    most: number
  ): Promise<Attachment | null> {
    const kind = kindOf(name, file.type);
    if (kind === 'text') {
      return null;
    }
    this._check(name, file.size, most);
    return this._shown(controller, name, signal =>
      kind === 'picture'
        ? this._picture(name, file, signal)
        : this._routes.document(file, name, signal).then(words => this._document(name, words))
    );
  }

  /** Attach a picture or a document of the server; null if it is neither. */
  async path(
    controller: ChatController,
    path: string,
    name: string,
    size: number,
    most: number
  ): Promise<Attachment | null> {
    const kind = kindOf(name);
    if (kind === 'text') {
      return null;
    }
    this._check(name, size, most);
    return this._shown(controller, name, signal => this.ofServer(path, name, signal));
  }

  /** Return a picture of the server as it is kept, or a document's words. */
  async ofServer(path: string, name: string, signal: AbortSignal): Promise<Attachment> {
    if (kindOf(name) === 'document') {
      return this._document(name, await this._routes.documentAt(path, signal));
    }
    const model = await this._contents.get(path, { type: 'file', format: 'base64', content: true });
    const bytes = Uint8Array.from(atob(String(model.content)), letter => letter.charCodeAt(0));
    return this._picture(name, new Blob([bytes]), signal);
  }

  private async _picture(name: string, file: Blob, signal: AbortSignal): Promise<Attachment> {
    const { blob, mime_type, width, height } = await this._routes.picture(file, signal);
    return { name: nameOf(name), text: '', mime_type, blob, width, height };
  }

  private _document(name: string, { text, left_out }: DocumentText): Attachment {
    const note = this._trans.__('[%1 more characters are left out.]', left_out);
    const words = left_out > 0 ? `${text}\n\n${note}` : text;
    return { name: nameOf(name), text: words, mime_type: 'text/markdown' };
  }

  private _check(name: string, size: number, most: number): void {
    if (size > most) {
      const megabytes = Math.floor(most / 1024 ** 2);
      throw new NotUploaded(
        this._trans.__('“%1” is too large: a picture or document can have %2 MB.', name, megabytes)
      );
    }
  }

  /** Tell that a file is on its way, until it is there, was refused, or is not wanted any more. */
  private async _shown(
    controller: ChatController,
    name: string,
    work: (signal: AbortSignal) => Promise<Attachment>
  ): Promise<Attachment> {
    const gaveUp = new AbortController();
    const { signal } = gaveUp;
    const end = controller.beginUpload(name, () => gaveUp.abort());
    const givenUp = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new NotUploaded('')));
    });
    try {
      return await Promise.race([work(signal), givenUp]);
    } catch (error) {
      if (signal.aborted) {
        throw new NotUploaded(''); // the person knows
      }
      const reason = error instanceof Error ? error.message : '';
      throw new NotUploaded(this._trans.__('Not attached: %1. %2', name, reason));
    } finally {
      end();
    }
  }
}
