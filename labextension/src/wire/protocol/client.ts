/*
 * The frames that a client sends.
 * Generated from jupyter_stop_chat/wire/ by scripts/generate_protocol.py: do not edit.
 */

import { Attachment, WantedPiece } from './objects';

export type ClientFrame =
  Send | Stop | Open | Read | Close | Continue | Regenerate | Edit | Unqueue | Reorder | Resume | Ping;

/**
 * A frame: send a prompt; twice with one `request_id` counts once.
 */
export interface Send {
  type: 'send';
  request_id: string;
  chat_id: string | null;
  body: string;
  model?: string | null;
  attachments?: Attachment[];
  policy?: ('queue' | 'interrupt' | 'reject') | null;
}

/**
 * A frame: stop one message, one request, one chat or all of yours.
 *
 * `shown` is how much of the text the person had seen: the kept text ends there. `discard`
 * takes the turn out of the chat as well.
 */
export interface Stop {
  type: 'stop';
  message_id?: string | null;
  request_id?: string | null;
  chat_id?: string | null;
  all?: true | null;
  shown?: number | null;
  discard?: boolean;
}

/**
 * A frame: follow a chat, all its messages or only the tails that the client lacks.
 */
export interface Open {
  type: 'open';
  chat_id: string;
  offsets?: {
    [k: string]: number;
  };
  epoch?: string | null;
}

/**
 * A frame: ask for what the list of a chat left out, in the order in which it is wanted.
 */
export interface Read {
  type: 'read';
  request_id: string;
  chat_id: string;
  wanted: WantedPiece[];
}

/**
 * A frame: follow a chat no longer.
 */
export interface Close {
  type: 'close';
  chat_id: string;
}

/**
 * A frame: go on from a partial reply.
 */
export interface Continue {
  type: 'continue';
  message_id: string;
  request_id: string;
  model?: string | null;
}

/**
 * A frame: make a reply anew, keeping the earlier one as a version.
 */
export interface Regenerate {
  type: 'regenerate';
  message_id: string;
  request_id: string;
  model?: string | null;
}

/**
 * A frame: change a prompt and ask again from there, keeping the earlier one as a version.
 *
 * A prompt that is still queued is changed where it is.
 *
 * :ivar keeps: the places of the attachments that still go with it, from 0; by default all do.
 */
export interface Edit {
  type: 'edit';
  message_id: string;
  body: string;
  request_id: string;
  model?: string | null;
  keeps?: number[] | null;
}

/**
 * A frame: take a queued prompt back.
 */
export interface Unqueue {
  type: 'unqueue';
  message_id: string;
}

/**
 * A frame: put queued replies in another order; those that are not named come after them.
 */
export interface Reorder {
  type: 'reorder';
  chat_id: string;
  message_ids: string[];
}

/**
 * A frame: let a queue that a stop has paused go on.
 */
export interface Resume {
  type: 'resume';
  chat_id: string;
}

/**
 * A frame: ask whether anybody is there: a connection can be gone without a word.
 */
export interface Ping {
  type: 'ping';
}
