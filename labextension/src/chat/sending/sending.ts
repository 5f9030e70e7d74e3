/** The requests for a reply, also those that wait until their chat has an id. */
import { ASSUMED, bytesOf } from '../attachments';
import * as prompts from '../prompt';
import { Attachment, Continue, Edit, Limits, Regenerate, Send, ServerFrame } from '../../wire/protocol';
import * as replies from '../replies';
import * as selectors from '../selectors';
import { ChatSocket } from '../../wire/socket';
import { ChatState } from '../state';

/** The model that a person picked. */
export interface PickedModel {
  /** The model that is shown, and asked for; null leaves it to the server. */
  readonly effective: string | null;
  /** Whether it can call tools, where that is known. */
  readonly callsTools?: boolean;
}

/** A longer path is not told, in characters. */
const LONGEST_PATH = 1000;

export interface SendingOptions {
  makeId: () => string;
  /** What a second prompt does; null leaves it to the server's setting. */
  policy: () => Send['policy'];
  picked?: PickedModel;
  /** The notebook or file that the person has open, as its path on the server. */
  place?: () => string | null;
  /** Whether the model may use tools. */
  mode?: () => Send['mode'];
  words: { promptTooLong: string; stillUploading: string };
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
   * @param attachments what goes with it; by default what is attached to the draft.
   */
  send(
    policy = this._options.policy(),
    attachments = this._state.now.prompt.draft.attachments
  ): boolean {
    if (!prompts.isSendable(this._state.now.prompt) || !this.mayLeave()) {
      return false;
    }
    const [prompt, taken] = prompts.detachDraft(this._state.now.prompt);
    return this._sendWords({ ...taken, attachments }, prompt, policy) !== null;
  }

  /**
   * Send words that are not the draft, which stays as it is; return the request's id, or null
   * where they are too long.
   *
   * @param elsewhere they are kept elsewhere, and do not come back into the input.
   */
  sendBeside(words: prompts.Prompt, elsewhere: boolean): string | null {
    return this._sendWords(words, this._state.now.prompt, this._options.policy(), elsewhere);
  }

  /** @param prompt what the input holds from then on. */
  private _sendWords(
    taken: prompts.Prompt,
    prompt: prompts.PromptState,
    policy: Send['policy'],
    elsewhere = false
  ): string | null {
    const { chat } = this._state.now;
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
    const model = this._options.picked?.effective;
    if (model) {
      frame.model = model;
    }
    const path = this._options.place?.();
    if (path && path.length <= LONGEST_PATH) {
      frame.path = path;
    }
    if (this._options.mode?.() === 'agent') {
      frame.mode = 'agent';
    }
    if (taken.attachments.length > 0) {
      frame.attachments = [...taken.attachments];
    }
    if (!this.fits(frame)) {
      return null;
    }
    const waits = frame.chat_id === null && chat.pending.length > 0;
    this._state.set({
      prompt,
      chat: replies.reduce(chat, {
        type: 'request',
        requestId,
        kind: 'send',
        body: taken.text,
        attachments: taken.attachments,
        elsewhere
      })
    });
    if (waits) {
      this._held.push(frame); // a second new chat is not what is meant
    } else {
      this._socket.sendPrompt(frame);
    }
    return requestId;
  }

  /** Return whether the draft can be sent with these attachments; tell the person if it cannot. */
  isReady(attachments: readonly Attachment[]): boolean {
    const words = { body: this._state.now.prompt.draft.text, attachments };
    return this.mayLeave() && this.fits(words);
  }

  /** Return whether all that goes with the draft is on the server; tell the person if it is not. */
  mayLeave(): boolean {
    const isThere = this._state.now.uploads.length === 0;
    if (!isThere) {
      this._state.notice('not_done', this._options.words.stillUploading);
    }
    return isThere;
  }

  /**
   * Ask for a reply from a message that exists; tell whether it was asked for.
   *
   * @param keeps the places of the attachments that go with an edited prompt; by default all do.
   */
  ask(
    kind: 'continue' | 'regenerate' | 'edit',
    messageId: string,
    body = '',
    keeps?: readonly number[]
  ): boolean {
    if (selectors.isBusy(this._state.now.chat)) {
      return false;
    }
    const requestId = this._options.makeId();
    const frame: Edit | Continue | Regenerate =
      kind === 'edit'
        ? { type: kind, message_id: messageId, body, request_id: requestId }
        : { type: kind, message_id: messageId, request_id: requestId };
    // a reply that is continued keeps its model
    const model = this._options.picked?.effective;
    if (model && kind !== 'continue') {
      frame.model = model;
    }
    if (kind !== 'continue' && this._options.mode) {
      frame.mode = this._options.mode();
    }
    if (keeps && frame.type === 'edit') {
      frame.keeps = [...keeps];
    }
    if (!this.fits({ ...frame, body })) {
      return false;
    }
    this._state.reduce({ type: 'request', requestId, kind, messageId, body });
    this._socket.sendPrompt(frame);
    return true;
  }

  /** Withdraw a request; return whether it had never left this page. */
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

  /** Return whether a prompt is short enough for the server; tell the person if it is not. */
  fits(frame: { body: string }): boolean {
    const limits = this._limits;
    const fits =
      frame.body.length <= limits.max_prompt_length && bytesOf(frame) <= limits.max_frame_bytes;
    if (!fits) {
      this._state.notice('prompt_too_long', this._tooLong);
    }
    return fits;
  }

  /** Add the sentence to a refusal without one: there the server could only close the connection. */
  worded(frame: ServerFrame): ServerFrame {
    const lacks = frame.type === 'error' && frame.code === 'prompt_too_long' && !frame.message;
    return lacks ? { ...frame, message: this._tooLong } : frame;
  }

  private get _limits(): Limits {
    return this._state.now.welcome?.limits ?? ASSUMED;
  }

  /** Both limits: the one on the words, and the one on all that is sent with them. */
  private get _tooLong(): string {
    const { max_prompt_length, max_frame_bytes } = this._limits;
    return this._options.words.promptTooLong
      .replace('%1', String(max_prompt_length))
      .replace('%2', String(Math.floor(max_frame_bytes / 1024)));
  }

  /** Prompts for a chat that has no id yet. */
  private _held: Send[] = [];
}
