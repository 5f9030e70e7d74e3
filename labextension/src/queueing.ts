/** What a person does with the prompts that wait: change, order, take back, send next. */
import * as prompts from './prompt';
import * as replies from './replies';
import { Sending } from './sending';
import { ChatSocket } from './socket';
import { ChatState } from './state';

export class Queueing {
  constructor(
    private _state: ChatState,
    private _socket: ChatSocket,
    private _sending: Sending
  ) {}

  /** Give a prompt that waits other words; tell whether they were sent. */
  edit(replyId: string, body: string): boolean {
    const reply = this._state.now.chat.messages.find(view => view.id === replyId);
    const promptId = reply?.info.reply_to;
    return promptId !== undefined && body.trim() !== '' && this._sending.editQueued(promptId, body);
  }

  /** Move a prompt by some places: below 0 is sooner. */
  move(replyId: string, by: number): void {
    const { chat } = this._state.now;
    const ids = replies.queued(chat).map(view => view.id);
    const from = ids.indexOf(replyId);
    const to = from + by;
    if (from < 0 || to < 0 || to >= ids.length || !chat.chatId) {
      return;
    }
    ids.splice(to, 0, ...ids.splice(from, 1));
    this._socket.send({ type: 'reorder', chat_id: chat.chatId, message_ids: ids });
  }

  /**
   * Take a prompt out of the queue.
   *
   * @param keep put its words into the input.
   */
  remove(replyId: string, keep = false): void {
    const { chat, prompt } = this._state.now;
    const reply = chat.messages.find(view => view.id === replyId);
    const asked = chat.messages.find(view => view.id === reply?.info.reply_to);
    const sent = this._socket.send({ type: 'unqueue', message_id: replyId });
    if (sent && keep && asked) {
      const attachments = asked.info.attachments ?? [];
      this._state.set({
        prompt: prompts.giveBack(prompt, replyId, { text: asked.text, attachments })
      });
    }
  }

  /** Take all of them out; tell whether there were any. */
  clear(): boolean {
    const waiting = replies.queued(this._state.now.chat);
    waiting.forEach(reply => this.remove(reply.id));
    return waiting.length > 0;
  }

  /** Send the next one: a stop had paused the queue. */
  resume(): void {
    const { chatId } = this._state.now.chat;
    if (chatId) {
      this._socket.send({ type: 'resume', chat_id: chatId });
    }
  }
}
