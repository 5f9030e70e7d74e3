/** What a browser remembers of notebooks: their chats, and the prompts that are open in cells. */
import { readList, readMap, writeList } from './storage';

const CHATS = 'jupyter-stop-chat:notebook-chats';
const PROMPTS = 'jupyter-stop-chat:cell-prompts';
/** So many notebooks' chats are remembered, and so many open prompts. */
const MOST_CHATS = 200;
const MOST_PROMPTS = 50;
/** What a longer cell held is not remembered, in UTF-16 code units. */
const LONGEST = 50_000;

/** A prompt that is open in a cell. */
export interface KeptPrompt {
  readonly path: string;
  readonly cell: string;
  readonly text: string;
  /** What it was asked by; absent while it is being written. */
  readonly request?: string;
  /** What the cell held when it was asked. */
  readonly source?: string;
}

/** @param scope tells servers apart that have one address. */
export class NotebookMemory {
  constructor(private _scope: string) {}

  /** Return the chat of a notebook; null where none is known. */
  chatOf(path: string): string | null {
    return this._chats.get(path) ?? null;
  }

  /** Remember the chat of a notebook; null forgets it. */
  noteChat(path: string, chatId: string | null): void {
    const chats = this._chats;
    chats.delete(path);
    if (chatId !== null) {
      chats.set(path, chatId);
    }
    writeList(() => localStorage, `${CHATS}:${this._scope}`, [...chats].slice(-MOST_CHATS));
  }

  /** Return the prompts that are open in the cells of a notebook. */
  promptsOf(path: string): KeptPrompt[] {
    return this._prompts.filter(one => one.path === path);
  }

  /** Remember a prompt of a cell, in the place of an earlier one. */
  keepPrompt(prompt: KeptPrompt): void {
    const fits = (prompt.source?.length ?? 0) <= LONGEST;
    const { source: _, ...bare } = prompt;
    this._put([...this._others(prompt), fits ? prompt : bare]);
  }

  dropPrompt(path: string, cell: string): void {
    this._put(this._others({ path, cell }));
  }

  private _others({ path, cell }: Pick<KeptPrompt, 'path' | 'cell'>): KeptPrompt[] {
    return this._prompts.filter(one => one.path !== path || one.cell !== cell);
  }

  private _put(prompts: readonly KeptPrompt[]): void {
    writeList(() => sessionStorage, `${PROMPTS}:${this._scope}`, prompts.slice(-MOST_PROMPTS));
  }

  private get _chats(): Map<string, string> {
    return readMap(() => localStorage, `${CHATS}:${this._scope}`);
  }

  private get _prompts(): KeptPrompt[] {
    return readList(() => sessionStorage, `${PROMPTS}:${this._scope}`) as KeptPrompt[];
  }
}
