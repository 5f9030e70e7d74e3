/** Whose an error of the server is: it reaches only the chat that asked. */
import { Error } from '../wire/protocol';
import { ChatView } from './replies';

/** What a chat has asked for besides its replies. */
export interface Asked {
  /** Tell whether a request changes a prompt that waits. */
  edits: (requestId: string) => boolean;
  /** Tell whether a stop is on its way: of a message, a request, or of all. */
  stops: (id: string) => boolean;
}

/** Tell whether an error is for a chat; one that answers no frame is for all of them. */
export function isFor(error: Error, chat: ChatView, asked: Asked): boolean {
  const { request_id, chat_id, message_id } = error;
  if (error.of === 'stop') {
    return asked.stops(message_id ?? request_id ?? (error.all ? 'all' : ''));
  }
  if (request_id) {
    const isRequested = chat.pending.some(one => one.requestId === request_id);
    return isRequested || chat.stopped.includes(request_id) || asked.edits(request_id);
  }
  if (chat_id) {
    return chat_id === chat.chatId;
  }
  if (message_id) {
    return chat.messages.some(view => view.id === message_id);
  }
  // what names nothing and yet answers a frame, as a `ping`, is nobody's
  return error.of === undefined;
}
