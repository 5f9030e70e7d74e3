/**
 * The pictures that the page shows, by their digests.
 *
 * They are fetched as everything of the server is, with its address and its token, and shown by
 * addresses of the page's own, which are taken back once nobody shows them.
 */

/** A picture as far as it is here. */
export type PictureState =
  | { readonly state: 'loading' | 'missing' }
  | { readonly state: 'here'; readonly url: string };

export interface PicturesOptions {
  fetch: (digest: string) => Promise<Blob>;
  makeUrl: (picture: Blob) => string;
  revokeUrl: (url: string) => void;
  /** Call once, so many milliseconds later. */
  after: (ms: number, what: () => void) => void;
}

/** How long one is kept that nobody shows: it may only be moving to another place. */
export const KEPT = 10_000;

const LOADING: PictureState = { state: 'loading' };
const MISSING: PictureState = { state: 'missing' };

interface Entry {
  picture: PictureState;
  readonly listeners: Set<() => void>;
}

export class Pictures {
  constructor(private _options: PicturesOptions) {}

  /** Show a picture from now on; return a function that ends that. */
  subscribe(digest: string, listener: () => void): () => void {
    const entry = this._entries.get(digest) ?? { picture: LOADING, listeners: new Set() };
    const isNew = !this._entries.has(digest);
    this._entries.set(digest, entry);
    entry.listeners.add(listener);
    if (isNew || entry.picture === MISSING) {
      void this._fetch(digest, entry); // one that was missing may be there again
    }
    return () => {
      entry.listeners.delete(listener);
      if (entry.listeners.size === 0) {
        this._options.after(KEPT, () => this._drop(digest, entry));
      }
    };
  }

  get(digest: string): PictureState {
    return this._entries.get(digest)?.picture ?? LOADING;
  }

  private async _fetch(digest: string, entry: Entry): Promise<void> {
    let picture: PictureState = MISSING;
    try {
      const blob = await this._options.fetch(digest);
      if (this._entries.get(digest) === entry) {
        picture = { state: 'here', url: this._options.makeUrl(blob) };
      }
    } catch {
      // it is told where the picture would be
    }
    if (entry.picture.state !== 'here') {
      entry.picture = picture;
      [...entry.listeners].forEach(listener => listener());
    } else if (picture.state === 'here') {
      this._options.revokeUrl(picture.url); // it was asked for twice
    }
  }

  private _drop(digest: string, entry: Entry): void {
    if (entry.listeners.size > 0 || this._entries.get(digest) !== entry) {
      return;
    }
    this._entries.delete(digest);
    if (entry.picture.state === 'here') {
      this._options.revokeUrl(entry.picture.url);
    }
  }

  private _entries = new Map<string, Entry>();
}
