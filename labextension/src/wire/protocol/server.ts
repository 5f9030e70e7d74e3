/*
 * The frames that the server sends.
 * Generated from jupyter_stop_chat/wire/ by scripts/generate_protocol.py: do not edit.
 */

import { Chat, ErrorCode, Limits, Message, ModelInfo, Piece, StopResult } from './objects';
import { Approval } from './tools';

export type ServerFrame =
  | Welcome
  | Accepted
  | ChatChanged
  | Messages
  | Pieces
  | Delta
  | Thought
  | MessageChanged
  | Tool
  | ToolRequest
  | ToolCancel
  | StopResults
  | Pong
  | Error;

/**
 * The first frame on every socket.
 */
export interface Welcome {
  type: 'welcome';
  protocol: number;
  epoch: string;
  user: string;
  limits: Limits;
  models: ModelInfo[];
  default_model?: string;
  policy: 'queue' | 'interrupt' | 'reject';
  modes: ('ask' | 'agent')[];
}

/**
 * A frame: say that both messages exist; `message.id` can be stopped from now on.
 */
export interface Accepted {
  type: 'accepted';
  request_id: string;
  chat_id: string;
  user_message: Message;
  message: Message;
}

/**
 * A frame: tell of a changed chat, of a deleted one, or answer `open` with its messages.
 *
 * Of a long chat they are the newest; `earlier` older ones come behind it, in `messages`.
 */
export interface ChatChanged {
  type: 'chat';
  chat: Chat;
  messages?: Message[];
  earlier?: number;
  deleted?: true;
}

/**
 * A frame: messages of a chat that come before those listed last; `earlier` still come.
 */
export interface Messages {
  type: 'messages';
  chat_id: string;
  messages: Message[];
  earlier: number;
}

/**
 * A frame: answer `read`: as many of the wanted texts, in order, as one frame carries.
 */
export interface Pieces {
  type: 'pieces';
  request_id: string;
  chat_id: string;
  pieces: Piece[];
}

/**
 * A frame: append text to a message at an offset.
 */
export interface Delta {
  type: 'delta';
  message_id: string;
  offset: number;
  text: string;
  part: 'text' | 'reasoning';
}

/**
 * A frame: a message's text, from there on, was a thought; deltas bring it as reasoning.
 */
export interface Thought {
  type: 'thought';
  message_id: string;
  text_length: number;
}

/**
 * A frame: tell that a message changed state.
 */
export interface MessageChanged {
  type: 'message';
  message: Message;
}

/**
 * A frame: tell where a tool call is now.
 */
export interface Tool {
  call_id: string;
  name: string;
  state: 'asked' | 'waiting' | 'running' | 'completed' | 'failed' | 'refused' | 'interrupted' | 'still_running';
  args?: string;
  result?: string;
  at?: number;
  touches?: 'reads' | 'edits' | 'runs';
  approval?: Approval;
  duration_ms?: number;
  waits_for?: 'kernel';
  progress?: string;
  type: 'tool';
  message_id: string;
}

/**
 * A frame: ask a page to do a part of a tool's work, in the documents that it has open.
 *
 * It answers `tool_taken` soon, and `tool_answer` at its end.
 */
export interface ToolRequest {
  type: 'tool_request';
  call: string;
  message_id: string;
  operation: string;
  args: {
    [k: string]: unknown;
  };
}

/**
 * A frame: tell a page that nobody waits for its answer any more, and nothing may begin.
 */
export interface ToolCancel {
  type: 'tool_cancel';
  call: string;
}

/**
 * A frame: answer a stop, once it is true.
 */
export interface StopResults {
  type: 'stop_result';
  message_id?: string;
  request_id?: string;
  chat_id?: string;
  all?: true;
  results: StopResult[];
}

/**
 * A frame: answer `ping`.
 */
export interface Pong {
  type: 'pong';
}

/**
 * A frame: tell of an error in the words of the table.
 *
 * `of` is the type of the frame that it answers, and one of `request_id`, `chat_id`, `message_id`
 * and `all` is the narrowest that this frame had. What answers nothing is for everyone.
 * `field` names the field of that frame that is wrong.
 */
export interface Error {
  type: 'error';
  code: ErrorCode;
  message: string;
  of?:
    | 'send'
    | 'stop'
    | 'open'
    | 'read'
    | 'close'
    | 'continue'
    | 'regenerate'
    | 'edit'
    | 'unqueue'
    | 'reorder'
    | 'resume'
    | 'ping'
    | 'approve'
    | 'focus'
    | 'tool_taken'
    | 'tool_answer';
  request_id?: string;
  chat_id?: string;
  message_id?: string;
  all?: true;
  error_id?: string;
  field?: string;
}
