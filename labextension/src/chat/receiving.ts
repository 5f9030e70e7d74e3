/** What a frame of the server does to one chat: to its messages, its prompt and its requests. */
import { MessageView } from './messages';
import * as prompts from './prompt';
import { Reading } from './reading';
import * as replies from './replies';
import { Queueing } from './sending/queueing';
import { Sending } from './sending/sending';
import { ChatState } from './state';
import { StopPress } from './stop/press';
import { Approving } from './tools/approving';
import { isFor } from './whose';
import { isTerminal, refusedBy } from '../wire/guards';
import { ServerFrame, StopResults } from '../wire/protocol';
import { ChatSocket } from '../wire/socket';

/** The parts of the chat that a frame may concern. */
export interface ReceivingParts {
  sending: Sending;
  stopPress: StopPress;
  reading: Reading;
  approving: Approving;
  queue: Queueing;
  /** Called with each reply that was being made here and has ended. */
  onEnd?: (reply: MessageView) => void;
}

export class Receiving {
  constructor(
    private _state: ChatState,
    private _socket: ChatSocket,
    private _parts: ReceivingParts
  ) {}

  /** Receive a frame of the server; those of other chats change nothing. */
  receive(frame: ServerFrame): void {
    this._receive(frame);
    if (frame.type !== 'delta') {
      this._parts.approving.receive(frame);
    }
  }

  private _receive(frame: ServerFrame): void {
    if (frame.type === 'stop_result') {
      this._parts.stopPress.receive(frame);
    }
    const before = this._state.now;
    if (frame.type === 'welcome') {
      this._state.set({ welcome: frame });
      return;
    }
    const isReading = frame.type === 'pieces' || frame.type === 'error';
    if (isReading && this._parts.reading.receive(frame)) {
      return;
    }
    const asked = { edits: this._parts.queue.edits, stops: this._parts.stopPress.stops };
    if (frame.type === 'error' && !isFor(frame, before.chat, asked)) {
      return;
    }
    const gone =
      (frame.type === 'error' && frame.code === 'unknown_chat' && before.chat.loading) ||
      (frame.type === 'chat' && frame.deleted && frame.chat.id === before.chat.chatId);
    if (gone) {
      this._socket.unfollow(before.chat.chatId as string);
      this._state.set({ chat: replies.emptyChat(null) });
      return;
    }
    const worded = this._parts.sending.worded(frame);
    let chat = replies.reduce(before.chat, { type: 'frame', frame: worded });
    if (frame.type === 'stop_result' && chat.resync === 'no' && isBehind(chat, frame)) {
      chat = { ...chat, resync: 'wanted' };
    }
    if (chat.chatId && chat.chatId !== before.chat.chatId) {
      this._socket.noteFollowed(chat.chatId);
    }
    const prompt = this._promptAfter(frame, chat);
    if (chat === before.chat && prompt === before.prompt) {
      return;
    }
    const wanted = chat.resync === 'wanted' ? chat.chatId : null;
    if (wanted) {
      chat = replies.reduce(chat, { type: 'resync_asked' });
    }
    this._state.set({ chat, prompt }, frame.type === 'delta');
    if (wanted) {
      this._socket.follow(wanted);
    }
    this._parts.sending.sendHeld();
    if (frame.type !== 'delta') {
      this._parts.queue.receive(frame);
      this._parts.reading.look();
    }
    if (frame.type === 'message' || frame.type === 'chat') {
      this._tellEnds(before.chat.messages, chat.messages);
    }
  }

  private _tellEnds(before: readonly MessageView[], now: readonly MessageView[]): void {
    const made = new Set(
      before.filter(view => !isTerminal(view.info.state)).map(view => view.id)
    );
    for (const view of now) {
      if (made.has(view.id) && isTerminal(view.info.state) && view.role === 'assistant') {
        this._parts.stopPress.ended(view);
        this._parts.onEnd?.(view);
      }
    }
  }

  /** Return the prompt after a frame: a refused one comes back, an answered one goes. */
  private _promptAfter(frame: ServerFrame, chat: replies.ChatView): prompts.PromptState {
    const before = this._state.now;
    let prompt = before.prompt;
    if (frame.type === 'delta') {
      return prompt;
    }
    const answered = frame.type === 'accepted' ? frame.request_id : refusedBy(frame);
    if (answered) {
      const words = this._parts.queue.answered(answered);
      const pending = before.chat.pending.find(one => one.requestId === answered);
      if (frame.type === 'error' && words) {
        prompt = prompts.giveBack(prompt, answered, { text: words, attachments: [] });
      } else if (frame.type === 'error' && pending && !pending.stopping && !pending.elsewhere) {
        const { body: text, attachments } = pending;
        prompt = prompts.giveBack(prompt, answered, { text, attachments });
      }
    }
    for (const view of chat.messages) {
      if (isTerminal(view.info.state)) {
        this._parts.stopPress.answered(view.id);
        if (view.info.state === 'completed' && view.role === 'assistant') {
          prompt = prompts.withdraw(prompt, view.info.request_id ?? view.id);
        }
      }
    }
    return prompt;
  }
}

/** Tell whether a chat still shows as being made what a stop was answered for: its end comes first. */
function isBehind(chat: replies.ChatView, { message_id, results }: StopResults): boolean {
  const named = new Set([message_id, ...results.map(result => result.message_id)]);
  return chat.messages.some(view => named.has(view.id) && !isTerminal(view.info.state));
}
