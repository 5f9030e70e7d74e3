/** What a person answers to tools that ask, until the server has it. */
import * as replies from '../replies';
import { ChatState } from '../state';
import { isTerminal } from '../../wire/guards';
import { Approve, ServerFrame, ToolCall } from '../../wire/protocol';
import { ChatSocket } from '../../wire/socket';

/** Names a call of a message. */
export const callKey = (messageId: string, callId: string): string => `${messageId} ${callId}`;

export class Approving {
  constructor(
    private _state: ChatState,
    private _socket: ChatSocket
  ) {}

  /**
   * Answer what a call asks for: exactly what was shown.
   *
   * @param reason is told to the model.
   */
  answer(messageId: string, call: ToolCall, answer: Approve['answer'], reason = ''): void {
    const { approval, call_id } = call;
    const key = callKey(messageId, call_id);
    if (!approval || this._state.now.answers[key] || !this._asks(messageId, call_id, approval.digest)) {
      return;
    }
    const frame: Approve = {
      type: 'approve',
      message_id: messageId,
      call_id,
      digest: approval.digest,
      answer,
      ...(reason.trim() ? { reason: reason.trim().slice(0, LONGEST_REASON) } : {})
    };
    this._state.set({ answers: { ...this._state.now.answers, [key]: frame } });
    this._socket.send(frame);
  }

  /** Receive a frame, after the chat has: what is asked no more needs no answer. */
  receive(frame: ServerFrame): void {
    const refused = frame.type === 'error' && frame.of === 'approve' ? frame.message_id : undefined;
    this._keep(one => one.message_id !== refused && this._isWanted(one));
    if (frame.type === 'welcome') {
      Object.values(this._state.now.answers).forEach(one => this._socket.send(one));
    }
  }

  private _isWanted({ message_id, call_id, digest }: Approve): boolean {
    return this._asks(message_id, call_id, digest);
  }

  /** Tell whether a call still asks for this, of a reply that was not stopped. */
  private _asks(messageId: string, callId: string, digest: string): boolean {
    const view = this._state.now.chat.messages.find(one => one.id === messageId);
    const call = view?.info.tools?.find(one => one.call_id === callId);
    const goesOn = view !== undefined && !view.frozen && !isTerminal(view.info.state);
    return goesOn && call?.state === 'asked' && call.approval?.digest === digest;
  }

  private _keep(which: (one: Approve) => boolean): void {
    const before = Object.entries(this._state.now.answers);
    const kept = before.filter(([, one]) => which(one));
    if (kept.length < before.length) {
      this._state.set({ answers: Object.fromEntries(kept) });
    }
  }
}

/** A longer reason is cut, in UTF-16 code units. */
const LONGEST_REASON = 2000;

/** Find what a chat asks its person, the oldest first. */
export function questions(chat: replies.ChatView): [messageId: string, call: ToolCall][] {
  return chat.messages
    .filter(view => view.role === 'assistant' && !view.frozen && !isTerminal(view.info.state))
    .flatMap(view =>
      (view.info.tools ?? [])
        .filter(call => call.state === 'asked' && call.approval)
        .map((call): [string, ToolCall] => [view.id, call])
    );
}
