/** The HTTP routes of pictures and documents. */
import { Ask } from './server';

/** A picture as the server keeps it. */
export interface KeptPicture {
  readonly blob: string;
  readonly mime_type: string;
  readonly width: number;
  readonly height: number;
}

/** The words of a document, and how many characters behind them are not told. */
export interface DocumentText {
  readonly text: string;
  readonly left_out: number;
}

export interface UploadRoutes {
  /** Upload a picture; the server checks it, and makes it as small as models see it. */
  picture(file: Blob, signal?: AbortSignal): Promise<KeptPicture>;
  /** Return a picture that was uploaded. */
  shown(digest: string): Promise<Blob>;
  document(file: Blob, name: string, signal?: AbortSignal): Promise<DocumentText>;
  /** Return the words of a document of the server. */
  documentAt(path: string, signal?: AbortSignal): Promise<DocumentText>;
}

/** How long to wait for an answer, in milliseconds: a file may be large, and the line slow. */
const PATIENCE = 300_000;

export function uploadRoutesOf(ask: Ask): UploadRoutes {
  const words = async (answer: Response): Promise<DocumentText> => {
    const { text, left_out = 0 } = (await answer.json()) as Partial<DocumentText>;
    return { text: text ?? '', left_out };
  };
  return {
    picture: async (file, signal) => {
      const answer = await ask(['blobs'], { method: 'POST', file, patience: PATIENCE, signal });
      return (await answer.json()) as KeptPicture;
    },
    shown: async digest => (await ask(['blobs', digest], { patience: PATIENCE })).blob(),
    document: async (file, name, signal) => {
      const request = { query: { name }, patience: PATIENCE, signal };
      return words(await ask(['documents'], { method: 'POST', file, ...request }));
    },
    documentAt: async (path, signal) =>
      words(await ask(['documents'], { query: { path }, patience: PATIENCE, signal }))
  };
}
