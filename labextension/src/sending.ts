/** What goes to the server to have a reply made: prompts, also those that must wait for a chat. */
import { ASSUMED, bytesOf } from './attachments';
import * as prompts from './prompt';
import { ClientFrame, Continue, Edit, Regenerate, Send } from './protocol';
import * as replies from './replies';
import { ChatSocket } from './socket';
import { ChatState } from './state';

/** The model that a person picked. */
export interface PickedModel {
  /** The model of a prompt; null leaves it to the server. */
  readonly wanted: string | null;
  /** The model that a reply is made anew with; null: the one that it was made with. */
  readonly effective: string | null;
}

export interface SendingOptions {
  makeId: () => string;
  /** What a second prompt does; null leaves it to the server's setting. */
  policy: () => Send['policy'];
  picked?: PickedModel;
  words: { promptTooLong: string };
}

export class Sending {
  constructor(
    private _state: ChatState,
    private _socket: ChatSocket,
    private _options: SendingOptions
  ) {}

  /**
   * Send the draft; tell whether there was something to send.
   *
   * @param policy what it does while a reply is made; by default what is set.
   */
  send(policy = this._options.policy()): boolean {
    const { chat } = this._state.now;
    if (!prompts.isSendable(this._state.now.prompt)) {
      return false;
    }
    const [prompt, taken] = prompts.take(this._state.now.prompt);
    const requestId = this._options.makeId();
    const frame: Send = {
      type: 'send',
      request_id: requestId,
      chat_id: chat.chatId,
      body: taken.text
    };
    if (policy) {
      frame.policy = policy;
    }
    const model = this._options.picked?.wanted;
    if (model) {
      frame.model = model;
    }
    if (taken.attachments.length > 0) {
      frame.attachments = [...taken.attachments];
    }
    if (this._isTooLong(frame)) {
      this._state.notice('prompt_too_long', this._options.words.promptTooLong);
      return false;
    }
    const waits = frame.chat_id === null && chat.pending.length > 0;
    this._state.set({
      prompt,
      chat: replies.reduce(chat, {
        type: 'request',
        requestId,
        kind: 'send',
        body: taken.text,
        attachments: taken.attachments
      })
    });
    if (waits) {
      this._held.push(frame); // a second new chat is not what is meant
    } else {
      this._socket.sendPrompt(frame);
    }
    return true;
  }

  /** Ask for a reply from a message that exists; tell whether it was asked for. */
  ask(kind: 'continue' | 'regenerate' | 'edit', messageId: string, body = ''): boolean {
    if (replies.isBusy(this._state.now.chat)) {
      return false;
    }
    const requestId = this._options.makeId();
    const frame: Edit | Continue | Regenerate =
      kind === 'edit'
        ? { type: kind, message_id: messageId, body, request_id: requestId }
        : { type: kind, message_id: messageId, request_id: requestId };
    // what is gone on with keeps the model that began it
    const { picked } = this._options;
    const model = kind === 'edit' ? picked?.wanted : picked?.effective;
    if (model && kind !== 'continue') {
      frame.model = model;
    }
    if (!this._fits(frame, body) || !this._socket.send(frame)) {
      return false;
    }
    this._state.reduce({ type: 'request', requestId, kind, messageId, body });
    return true;
  }

  /** Change a prompt that waits in the queue, where it is; tell whether it was sent. */
  editQueued(promptId: string, body: string): boolean {
    const requestId = this._options.makeId();
    const frame: ClientFrame = {
      type: 'edit',
      message_id: promptId,
      body,
      request_id: requestId
    };
    if (!this._fits(frame, body) || !this._socket.send(frame)) {
      return false;
    }
    this._edits.set(requestId, body);
    return true;
  }

  /** Tell whether a request changes a prompt that waits, and was not answered yet. */
  edits(requestId: string): boolean {
    return this._edits.has(requestId);
  }

  /** The server has answered a request; return the words of an edit that it answered. */
  answered(requestId: string): string | undefined {
    const body = this._edits.get(requestId);
    this._edits.delete(requestId);
    return body;
  }

  /** Take a prompt back; true when it had never left this page. */
  withdraw(requestId: string): boolean {
    const held = this._held.length;
    this._held = this._held.filter(frame => frame.request_id !== requestId);
    return this._held.length < held || this._socket.withdraw(requestId);
  }

  /** Send what had to wait until its chat was known. */
  sendHeld(): void {
    const { chatId, pending } = this._state.now.chat;
    const ids = new Set(this._held.map(frame => frame.request_id));
    while (this._held.length > 0) {
      if (chatId === null && pending.some(one => !ids.has(one.requestId))) {
        return;
      }
      const frame = this._held.shift() as Send;
      ids.delete(frame.request_id);
      this._socket.sendPrompt({ ...frame, chat_id: chatId });
    }
  }

  private _fits(frame: ClientFrame, body: string): boolean {
    if (this._isTooLong({ ...frame, body })) {
      this._state.notice('prompt_too_long', this._options.words.promptTooLong);
      return false;
    }
    return true;
  }

  private _isTooLong(frame: { body: string }): boolean {
    const limits = this._state.now.welcome?.limits ?? ASSUMED;
    const bytes = bytesOf(frame);
    return frame.body.length > limits.max_prompt_length || bytes > limits.max_frame_bytes;
  }

  /** Prompts for a chat that has no id yet. */
  private _held: Send[] = [];
  /** The words of edits in the queue that the server has not answered yet, by request. */
  private _edits = new Map<string, string>();
}
