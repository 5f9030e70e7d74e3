/**
 * The list of chats: read from the server, kept up to date by its frames, and marked where a reply
 * ended while nobody looked.
 *
 * It imports nothing of JupyterLab or React.
 */
import { brokeOff, isTerminal } from '../wire/guards';
import { Chat, Message, ServerFrame } from '../wire/protocol';

/** How the last reply of a chat ended, where that is worth a dot. */
export type Mark = 'stopped' | 'early' | 'failed' | 'unread';

export type ExportFormat = 'md' | 'ipynb' | 'json';

/** The lines in which a search was found, by their chats' ids. */
export type Hits = Readonly<Record<string, string>>;

export interface ChatPage {
  readonly chats: readonly Chat[];
  readonly hits?: Hits;
}

/** The routes that the list needs. */
export interface ChatRoutes {
  list(options: { limit: number; before?: string; query?: string }): Promise<ChatPage>;
  /** @param file what was exported as JSON. */
  add(file: object): Promise<Chat>;
  rename(chatId: string, title: string): Promise<void>;
  remove(chatId: string): Promise<void>;
  download(chatId: string, format: ExportFormat): Promise<Blob>;
}

/** What was told of a chat. */
interface ChatChange {
  readonly chat: Chat;
  readonly deleted?: true;
}

export interface HistoryState {
  readonly chats: readonly Chat[];
  readonly marks: Readonly<Record<string, Mark>>;
  readonly query: string;
  readonly hits: Hits;
  /** There may be more chats, older than these. */
  readonly more: boolean;
  /** The first page has not come yet. */
  readonly loading: boolean;
  /** Why the server did not do what was asked; null if it did. */
  readonly failure: string | null;
}

export interface HistoryOptions {
  routes: ChatRoutes;
  /** Tell whether a chat is being looked at. */
  isShown: (chatId: string) => boolean;
  marks: Readonly<Record<string, Mark>>;
  rememberMarks: (marks: Readonly<Record<string, Mark>>) => void;
}

/** How many chats are read at once. */
export const PAGE = 50;
/** How many marks are remembered. */
const MAX_MARKS = 200;
/** The longest name of a file without its ending, in bytes. */
const MOST_BYTES = 240;
/** Longer than any search that a server takes, and short enough for an address, in characters. */
const LONGEST_QUERY = 1000;
/** A title is made in the background: longer than this after the last change it is not awaited. */
export const TITLE_PATIENCE = 40000;

/**
 * Tell how long a title may still be on its way, in milliseconds; 0 when it is there or will not
 * come.
 *
 * @param now the time, in milliseconds of the epoch.
 */
export function titleWait(chat: Chat, now: number): number {
  if (chat.title) {
    return 0;
  }
  if (['generating', 'asking', 'queued'].includes(chat.state)) {
    return TITLE_PATIENCE;
  }
  return Math.max(0, Date.parse(chat.updated_at) + TITLE_PATIENCE - now);
}

/**
 * Shorten what is searched for to what an address can carry, in whole characters: it is too long
 * all the same, and the server says so in words.
 */
export function searchable(query: string): string {
  return [...query].slice(0, LONGEST_QUERY).join('').replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Make a file's name of a chat's title, without what a file system or a person stumbles on. */
export function fileName(title: string): string {
  const words = title.replace(/[^\p{L}\p{M}\p{N} ._-]+/gu, ' ').replace(/\s+/g, ' ');
  let name = '';
  for (const letter of [...words].slice(0, 80)) {
    // a file system counts bytes, and an ending and a number come behind
    name += new TextEncoder().encode(name + letter).length > MOST_BYTES ? '' : letter;
  }
  return name.replace(/^[ ._-]+|[ ._-]+$/g, '') || 'chat';
}

/** When a chat last changed, for a heading: a day that has a name, or a month. */
export type Period = 'today' | 'yesterday' | 'week' | `${number}-${number}`;

/** Tell under which heading a chat stands. */
export function periodOf(at: string, now: Date): Period {
  const date = new Date(at);
  const dayOf = (one: Date): number => Date.UTC(one.getFullYear(), one.getMonth(), one.getDate());
  const days = Math.round((dayOf(now) - dayOf(date)) / 86_400_000);
  if (days < 7) {
    return days < 1 ? 'today' : days < 2 ? 'yesterday' : 'week';
  }
  return `${date.getFullYear()}-${date.getMonth() + 1}`;
}

/** Put the chats of a list under their headings, in the list's order. */
export function byPeriod(chats: readonly Chat[], now: Date): [Period, Chat[]][] {
  const groups = new Map<Period, Chat[]>();
  for (const chat of chats) {
    const period = periodOf(chat.updated_at, now);
    groups.set(period, [...(groups.get(period) ?? []), chat]);
  }
  return [...groups];
}

export class ChatHistory {
  constructor(private _options: HistoryOptions) {
    this._state = {
      chats: [],
      marks: _options.marks,
      query: '',
      hits: {},
      more: false,
      loading: true,
      failure: null
    };
  }

  readonly getSnapshot = (): HistoryState => this._state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** Read the newest chats again, those that match a query. */
  async search(query = ''): Promise<void> {
    const asked = (this._asked += 1);
    const isCurrent = (): boolean => asked === this._asked;
    this._set({ query, failure: null });
    await this._try(async () => {
      this._heard.clear();
      const { chats, hits = {} } = await this._options.routes.list({ limit: PAGE, query });
      if (isCurrent()) {
        this._set({ chats, hits, more: chats.length === PAGE, loading: false });
        this._heard.forEach(change => this._change(change)); // the answer may be older than these
      }
    }, isCurrent);
  }

  /** Read the chats that are older than those that are here. */
  async readMore(): Promise<void> {
    const asked = this._asked;
    const { chats, query } = this._state;
    await this._try(async () => {
      const before = chats[chats.length - 1]?.id;
      const older = await this._options.routes.list({ limit: PAGE, before, query });
      if (asked === this._asked) {
        const known = new Set(this._state.chats.map(chat => chat.id));
        const fresh = older.chats.filter(chat => !known.has(chat.id));
        const hits = { ...this._state.hits, ...older.hits };
        const more = older.chats.length === PAGE;
        this._set({ chats: [...this._state.chats, ...fresh], hits, more });
        this._heard.forEach(change => this._change(change));
      }
    });
  }

  /** Give a chat a title. */
  rename(chatId: string, title: string): Promise<boolean> {
    return this._try(() => this._options.routes.rename(chatId, title));
  }

  /** Delete a chat. What is being made in it is stopped. */
  remove(chatId: string): Promise<boolean> {
    return this._try(async () => {
      await this._options.routes.remove(chatId);
      this._drop(chatId);
    });
  }

  /** Take in a chat that was exported as JSON; return it, or null where it was refused. */
  async add(file: object): Promise<Chat | null> {
    let chat: Chat | null = null;
    await this._try(async () => {
      chat = await this._options.routes.add(file);
    });
    return chat;
  }

  /** Download a chat as a file. */
  download(chatId: string, format: ExportFormat): Promise<Blob> {
    return this._options.routes.download(chatId, format);
  }

  /** A chat is being looked at: nothing in it is unread. */
  seen(chatId: string): void {
    if (this._state.marks[chatId] === 'unread') {
      this._mark(chatId, null);
    }
  }

  /** Say that the server did not do what was asked. */
  tell(failure: string | null): void {
    this._set({ failure });
  }

  /** Bring the list up to date with a frame of the server. */
  receive(frame: ServerFrame): void {
    if (frame.type === 'chat') {
      const { chat, deleted } = frame;
      this._heard.set(chat.id, { chat, deleted }); // its messages are not kept here
      this._change(frame);
    } else if (frame.type === 'message') {
      this._end(frame.message);
    } else if (frame.type === 'accepted') {
      this._mark(frame.chat_id, null);
    }
  }

  private _end(message: Message): void {
    if (message.role !== 'assistant' || !isTerminal(message.state) || message.stop?.discarded) {
      return;
    }
    const seen = this._options.isShown(message.chat_id);
    const ends: Partial<Record<Message['state'], Mark | null>> = {
      interrupted: brokeOff(message) ? 'early' : 'stopped',
      failed: 'failed',
      completed: seen ? null : 'unread'
    };
    this._mark(message.chat_id, ends[message.state] ?? null);
  }

  private _change({ chat, deleted }: ChatChange): void {
    if (deleted) {
      this._drop(chat.id);
    } else {
      this._put(chat);
    }
  }

  private _put(chat: Chat): void {
    const { chats, query, more } = this._state;
    const known = chats.find(one => one.id === chat.id);
    if (known && known.updated_at === chat.updated_at) {
      this._set({ chats: chats.map(one => (one === known ? chat : one)) });
    } else if (known || query === '') {
      const others = chats.filter(one => one !== known);
      const at = others.findIndex(one => one.updated_at <= chat.updated_at);
      if (at >= 0) {
        this._set({ chats: [...others.slice(0, at), chat, ...others.slice(at)] });
      } else if (known || !more) {
        this._set({ chats: [...others, chat] });
      } // else it comes with the older ones
    }
  }

  private _drop(chatId: string): void {
    this._set({ chats: this._state.chats.filter(chat => chat.id !== chatId) });
    this._mark(chatId, null);
  }

  private _mark(chatId: string, mark: Mark | null): void {
    const { [chatId]: before, ...others } = this._state.marks;
    if ((before ?? null) === mark) {
      return;
    }
    const kept = Object.entries(others).slice(-MAX_MARKS + 1);
    const marks = Object.fromEntries(mark ? [...kept, [chatId, mark]] : kept);
    this._set({ marks });
    this._options.rememberMarks(marks);
  }

  /** @param matters whether it is still wanted: what is not, needs no word. */
  private async _try(what: () => Promise<void>, matters = (): boolean => true): Promise<boolean> {
    try {
      await what();
      return true;
    } catch (error) {
      if (matters()) {
        this._set({ failure: error instanceof Error ? error.message : '', loading: false });
      }
      return false;
    }
  }

  private _set(change: Partial<HistoryState>): void {
    this._state = { ...this._state, ...change };
    [...this._listeners].forEach(listener => listener());
  }

  private _state: HistoryState;
  private _asked = 0;
  /** What was heard of each chat since the list was asked for. */
  private _heard = new Map<string, ChatChange>();
  private _listeners = new Set<() => void>();
}
