/** The chat of each notebook: named after it, and gone on with for all of its cells. */
import { ChatController } from '../../chat/controller';
import { OpenChats } from '../../chat/openChats';
import { ChatRoutes } from '../../stores/history';
import { NotebookMemory } from '../../stores/notebookMemory';
import { OpenNotebook } from '../difference/cellHandle';

/** The longest title of a chat, in characters. */
const LONGEST = 200;
/** So many chats with a notebook's name in them are looked through. */
const LOOKED_AT = 20;

export interface NotebookChatsOptions {
  openChats: Pick<OpenChats, 'open' | 'begin' | 'leave'>;
  routes: Pick<ChatRoutes, 'list' | 'rename'>;
  memory: NotebookMemory;
}

export class NotebookChats {
  constructor(private _options: NotebookChatsOptions) {}

  /** Return the chat of a notebook, all that is known of it loaded; a new one where it has none. */
  of(notebook: OpenNotebook): Promise<ChatController> {
    const known = this._chats.get(notebook);
    if (known) {
      return known;
    }
    const found = this._open(notebook);
    this._chats.set(notebook, found);
    let { path } = notebook;
    notebook.pathChanged.connect(() => {
      this._moved(notebook, path);
      path = notebook.path;
    });
    notebook.disposed.connect(() => {
      this._chats.delete(notebook);
      void found.then(controller => this._options.openChats.leave(controller));
    });
    return found;
  }

  /** Tell whether a notebook has a chat already. */
  has(path: string): boolean {
    return this._options.memory.chatOf(path) !== null;
  }

  private async _open(notebook: OpenNotebook): Promise<ChatController> {
    const { openChats, memory } = this._options;
    const { path } = notebook;
    const chatId = memory.chatOf(path) ?? (await this._named(titleOf(path)));
    const controller = chatId === null ? openChats.begin() : openChats.open(chatId);
    await loaded(controller);
    if (controller.chatId !== null) {
      memory.noteChat(path, controller.chatId);
    }
    this._nameNew(notebook, controller);
    return controller;
  }

  /** Find the chat that was named after a notebook, in another browser or before; null if none. */
  private async _named(title: string): Promise<string | null> {
    try {
      const { chats } = await this._options.routes.list({ limit: LOOKED_AT, query: title });
      return chats.find(chat => chat.title === title)?.id ?? null;
    } catch {
      return null; // a new one does as well
    }
  }

  /** Give a new chat its name once the server knows it, also where an earlier one was deleted. */
  private _nameNew(notebook: OpenNotebook, controller: ChatController): void {
    let known = controller.chatId;
    const end = controller.subscribe(() => {
      const { chatId } = controller;
      if (chatId !== known && chatId !== null) {
        this._options.memory.noteChat(notebook.path, chatId);
        this._options.routes.rename(chatId, titleOf(notebook.path)).catch(() => undefined);
      }
      known = chatId;
    });
    notebook.disposed.connect(() => end());
  }

  /** Take a notebook's chat along to its new name: another notebook may get the old one. */
  private _moved(notebook: OpenNotebook, before: string): void {
    const { memory, routes } = this._options;
    void this._chats.get(notebook)?.then(controller => {
      const { chatId } = controller;
      if (chatId === null) {
        return;
      }
      memory.noteChat(before, null);
      memory.noteChat(notebook.path, chatId);
      // a title that the person gave it stays
      if (controller.getSnapshot().chat.chat?.title === titleOf(before)) {
        routes.rename(chatId, titleOf(notebook.path)).catch(() => undefined);
      }
    });
  }

  private _chats = new Map<OpenNotebook, Promise<ChatController>>();
}

function titleOf(path: string): string {
  return path.length > LONGEST ? `…${path.slice(1 - LONGEST)}` : path;
}

/** Wait until a chat's messages are here, or it is known that it cannot be opened. */
function loaded(controller: ChatController): Promise<void> {
  return new Promise(resolve => {
    let end: (() => void) | null = null;
    const look = (): void => {
      const { loading, failure } = controller.getSnapshot().chat;
      if (!loading || failure !== null) {
        end?.();
        resolve();
      }
    };
    end = controller.subscribe(look);
    look();
  });
}
