/**
 * What a person does with the prompts that wait: edit, reorder, remove, send next.
 *
 * The server does not answer most of these requests: it sends the changed chat. So each request is
 * kept until the chat shows its effect, and sent again after a reconnection. What has become
 * impossible meanwhile is undone here.
 */
import { hasPicture } from '../attachments';
import { isWhole, MessageView } from '../messages';
import * as prompts from '../prompt';
import { ClientFrame, Edit, Error, ServerFrame } from '../../wire/protocol';
import * as replies from '../replies';
import * as selectors from '../selectors';
import { ChatSocket } from '../../wire/socket';
import { ChatState } from '../state';

export interface QueueingOptions {
  makeId: () => string;
  /** Return whether a prompt is short enough; tell the person if it is not. */
  fits: (frame: Edit) => boolean;
  /** Wait until all of a message is here. */
  whole: (messageId: string) => Promise<MessageView | null>;
}

/** A request whose effect the chat does not show yet. */
interface Errand {
  readonly frame: ClientFrame;
  /** Tell whether the chat shows the effect. */
  readonly isDone: (chat: replies.ChatView) => boolean;
  /** Tell whether the effect can still come. */
  readonly isPossible: (chat: replies.ChatView) => boolean;
  /** Undo what the page did ahead: the request came too late. */
  readonly onLate: () => void;
}

export class Queueing {
  constructor(
    private _state: ChatState,
    private _socket: ChatSocket,
    private _options: QueueingOptions
  ) {}

  /**
   * Change a prompt that waits; return whether the change was sent.
   *
   * @param keeps the places of the attachments that still go with it; by default all do.
   */
  edit(replyId: string, body: string, keeps?: readonly number[]): boolean {
    const promptId = this._view(replyId)?.info.reply_to;
    const all = this._view(promptId ?? '')?.info.attachments ?? [];
    const says = body.trim() !== '' || hasPicture(keeps ? keeps.map(at => all[at]) : all);
    if (promptId === undefined || !says) {
      return false;
    }
    const request_id = this._options.makeId();
    const frame: Edit = { type: 'edit', message_id: promptId, body, request_id };
    if (keeps) {
      frame.keeps = [...keeps];
    }
    if (!this._options.fits(frame)) {
      return false;
    }
    this._edits.set(request_id, body);
    const isThere = (): boolean => {
      const view = this._view(promptId);
      return view?.text === body && view.info.attachments.length === (keeps ?? view.info.attachments).length;
    };
    this._do(`edit ${promptId}`, {
      frame,
      isDone: () => !this._edits.has(request_id) || isThere(),
      isPossible: chat => isQueued(chat, replyId),
      onLate: () => {
        this._edits.delete(request_id);
        const { prompt } = this._state.now;
        const words = { text: body, attachments: [] };
        this._state.set({ prompt: prompts.giveBack(prompt, request_id, words) });
      }
    });
    return true;
  }

  /** Tell whether a request is an edit that the server has not answered yet. */
  readonly edits = (requestId: string): boolean => this._edits.has(requestId);

  /** The server has answered a request; return the words of an edit that it answered. */
  answered(requestId: string): string | undefined {
    const body = this._edits.get(requestId);
    this._edits.delete(requestId);
    return body;
  }

  /** Move a prompt by some places: below 0 is sooner. */
  move(replyId: string, by: number): void {
    const { chat } = this._state.now;
    const ids = this._staying(chat);
    const from = ids.indexOf(replyId);
    const to = from + by;
    if (from < 0 || to < 0 || to >= ids.length || !chat.chatId) {
      return;
    }
    ids.splice(to, 0, ...ids.splice(from, 1));
    this._do('reorder', {
      frame: { type: 'reorder', chat_id: chat.chatId, message_ids: ids },
      // the order on the page is the server's: if some have begun, its next frame shows that
      isDone: now => this._staying(now).join() === ids.join(),
      isPossible: now => ids.every(id => isQueued(now, id)),
      onLate: () => undefined
    });
  }

  /**
   * Remove a prompt from the queue.
   *
   * @param keep put its words into the input.
   */
  remove(replyId: string, keep = false): void {
    const asked = this._view(this._view(replyId)?.info.reply_to);
    if (keep && asked && !isWhole(asked)) {
      void this._options.whole(asked.id).then(view => view && this.remove(replyId, keep));
      return;
    }
    if (keep && asked) {
      const { prompt } = this._state.now;
      const words = { text: asked.text, attachments: asked.info.attachments ?? [] };
      this._state.set({ prompt: prompts.giveBack(prompt, replyId, words) });
    }
    this._do(`unqueue ${replyId}`, {
      frame: { type: 'unqueue', message_id: replyId },
      isDone: chat => this._view(replyId)?.info.stop?.discarded === true || !isHere(chat, replyId),
      isPossible: chat => isQueued(chat, replyId),
      // it is being answered, so it must not be in the input as well
      onLate: () => this._state.set({ prompt: prompts.withdraw(this._state.now.prompt, replyId) })
    });
  }

  /** Remove all of them; return whether there were any. */
  clear(): boolean {
    const waiting = selectors.queued(this._state.now.chat);
    waiting.forEach(reply => this.remove(reply.id));
    return waiting.length > 0;
  }

  /** Send the next one: a stop had paused the queue. */
  resume(): void {
    const { chatId } = this._state.now.chat;
    if (chatId) {
      const isDone = (chat: replies.ChatView): boolean => !selectors.isPaused(chat);
      const frame = { type: 'resume', chat_id: chatId } as const;
      this._do('resume', { frame, isDone, isPossible: () => true, onLate: () => undefined });
    }
  }

  /** After a frame: drop the requests that are done, and send again what a lost connection lost. */
  receive(frame: ServerFrame): void {
    const { chat } = this._state.now;
    if (frame.type === 'error') {
      this._refused(frame);
    }
    const isOpened = frame.type === 'chat' && frame.messages !== undefined;
    for (const [key, errand] of [...this._errands]) {
      if (errand.isDone(chat)) {
        this._errands.delete(key);
      } else if (!errand.isPossible(chat)) {
        this._errands.delete(key);
        errand.onLate();
      } else if (isOpened && frame.chat.id === chat.chatId) {
        this._socket.send(errand.frame);
      }
    }
  }

  /** What is refused is done by nobody, and is not asked for again. */
  private _refused(error: Error): void {
    const key = error.of === 'unqueue' ? `unqueue ${error.message_id}` : (error.of ?? '');
    const errand = this._errands.get(key);
    this._errands.delete(key);
    errand?.onLate();
  }

  /** The replies that wait, without those that are being removed: the server knows these no more. */
  private _staying(chat: replies.ChatView): string[] {
    const ids = selectors.queued(chat).map(view => view.id);
    return ids.filter(id => !this._errands.has(`unqueue ${id}`));
  }

  private _do(key: string, errand: Errand): void {
    this._errands.set(key, errand);
    this._socket.send(errand.frame);
  }

  private _view(id: string | undefined): MessageView | undefined {
    return this._state.now.chat.messages.find(view => view.id === id);
  }

  /** The words of edits that the server has not answered yet, by request. */
  private _edits = new Map<string, string>();
  private _errands = new Map<string, Errand>();
}

const isHere = (chat: replies.ChatView, id: string): boolean =>
  chat.messages.some(view => view.id === id);

const isQueued = (chat: replies.ChatView, id: string): boolean =>
  selectors.queued(chat).some(view => view.id === id);
