/** One chat with a prompt and a reply, and the frames that change it. */
import * as replies from '../../src/chat/replies';
import { Delta, Message, ServerFrame } from '../../src/wire/protocol';
import { CHAT, prompt, reply, uuid } from '../support';

export const chatFrame = (messages?: Message[], change = {}): ServerFrame => ({
  type: 'chat',
  chat: { id: CHAT, owner: 'o', created_at: '', updated_at: '', state: 'idle', ...change },
  messages
});
export const delta = (id: number, offset: number, text: string, part: Delta['part'] = 'text') =>
  ({ type: 'delta', message_id: uuid(id), offset, text, part }) as const;
export const message = (value: Message): ServerFrame => ({ type: 'message', message: value });

export function run(state: replies.ChatView, ...frames: ServerFrame[]): replies.ChatView {
  return frames.reduce((view, frame) => replies.reduce(view, { type: 'frame', frame }), state);
}
export const text = (state: replies.ChatView, id: number): string | undefined =>
  state.messages.find(view => view.id === uuid(id))?.text;

export const PROMPT = prompt(1, 'question', { request_id: uuid(9) });
export const REPLY = reply(2, { reply_to: uuid(1), request_id: uuid(9) });
export const asked = (): replies.ChatView =>
  replies.reduce(replies.emptyChat(), {
    type: 'request',
    requestId: uuid(9),
    kind: 'send',
    body: 'question'
  });
export const accepted: ServerFrame = {
  type: 'accepted',
  request_id: uuid(9),
  chat_id: CHAT,
  user_message: PROMPT,
  message: REPLY
};
export const started = (): replies.ChatView => run(asked(), accepted);
export const stop = (state: replies.ChatView, shown?: number) =>
  replies.reduce(state, { type: 'stop', messageId: uuid(2), shown });
