/*
 * The frames that a client sends.
 * Generated from jupyter_stop_chat/wire/ by scripts/generate_protocol.py: do not edit.
 */

import { Attachment, WantedPiece } from './objects';

export type ClientFrame =
  | Send
  | Stop
  | Open
  | Read
  | Close
  | Continue
  | Regenerate
  | Edit
  | Unqueue
  | Reorder
  | Resume
  | Ping
  | Approve
  | Focus
  | ToolTaken
  | ToolAnswer;

/**
 * A frame: send a prompt; twice with one `request_id` counts once.
 *
 * `path` is the notebook or file that the person has open: rules files are looked for from its
 * folder up. `mode`: whether the model may use tools.
 */
export interface Send {
  type: 'send';
  request_id: string;
  chat_id: string | null;
  body: string;
  model?: string | null;
  attachments?: Attachment[];
  policy?: ('queue' | 'interrupt' | 'reject') | null;
  path?: string | null;
  mode?: 'ask' | 'agent';
}

/**
 * A frame: stop one message, one request, one chat or all of yours.
 *
 * `shown` is how much of the text the person had seen: the kept text ends there. `discard`
 * takes the turn out of the chat as well. `press` is the same each time that one press is sent:
 * sent again, a stop of a chat or of all must not stop what was asked for since.
 */
export interface Stop {
  type: 'stop';
  message_id?: string | null;
  request_id?: string | null;
  chat_id?: string | null;
  all?: true | null;
  shown?: number | null;
  discard?: boolean;
  press?: string | null;
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
 * A frame: go on from a partial reply, in the mode that it was made in by default.
 */
export interface Continue {
  type: 'continue';
  message_id: string;
  request_id: string;
  model?: string | null;
  mode?: ('ask' | 'agent') | null;
}

/**
 * A frame: make a reply anew, in its mode by default, keeping the earlier one as a version.
 */
export interface Regenerate {
  type: 'regenerate';
  message_id: string;
  request_id: string;
  model?: string | null;
  mode?: ('ask' | 'agent') | null;
}

/**
 * A frame: change a prompt and ask again from there, keeping the earlier one as a version.
 *
 * A prompt that is still queued is changed where it is.
 *
 * :ivar keeps: the places of the attachments that still go with it, from 0; by default all do.
 * :ivar mode: that of its reply before by default.
 */
export interface Edit {
  type: 'edit';
  message_id: string;
  body: string;
  request_id: string;
  model?: string | null;
  mode?: ('ask' | 'agent') | null;
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

/**
 * A frame: answer what a tool call asks for.
 *
 * `digest` names exactly what is allowed; `reason` is told to the model.
 */
export interface Approve {
  type: 'approve';
  message_id: string;
  call_id: string;
  digest: string;
  answer: 'once' | 'chat' | 'always' | 'refuse';
  reason?: string | null;
}

/**
 * A frame: tell that this page does what tools ask, and that the person works in it now.
 *
 * :ivar page: the page's own id, the same on each of its connections.
 * :ivar here: the person works in it; else it only tells that it is there.
 */
export interface Focus {
  type: 'focus';
  page?: string | null;
  here?: boolean;
}

/**
 * A frame: tell that what a tool asks of this page is being done.
 */
export interface ToolTaken {
  type: 'tool_taken';
  call: string;
}

/**
 * A frame: answer what a tool asked of this page; what is longer goes by HTTP.
 *
 * `result` is JSON. `error` names why there is none, `result` then what goes with it.
 */
export interface ToolAnswer {
  type: 'tool_answer';
  call: string;
  result?: string | null;
  error?: string | null;
}
