/*
 * The objects inside the frames of the wire contract.
 * Generated from jupyter_stop_chat/wire/ by scripts/generate_protocol.py: do not edit.
 */

/**
 * Every error that a client can be told of.
 */
export type ErrorCode =
  | 'bad_frame'
  | 'unknown_type'
  | 'invalid_field'
  | 'blank_prompt'
  | 'blank_title'
  | 'prompt_too_long'
  | 'query_too_long'
  | 'unknown_chat'
  | 'unknown_message'
  | 'not_possible_now'
  | 'made_elsewhere'
  | 'not_allowed'
  | 'no_such_route'
  | 'busy'
  | 'too_many_generations'
  | 'server_busy'
  | 'too_fast'
  | 'too_many_sockets'
  | 'too_many_chats'
  | 'too_many_stuck'
  | 'reply_too_long'
  | 'took_too_long'
  | 'shutting_down'
  | 'no_model'
  | 'unknown_model'
  | 'unknown_provider'
  | 'model_not_allowed'
  | 'missing_package'
  | 'missing_key'
  | 'unstoppable_model'
  | 'local_model_missing'
  | 'local_model_crashed'
  | 'local_model_memory'
  | 'download_failed'
  | 'disk_full'
  | 'wrong_checksum'
  | 'install_failed'
  | 'invalid_key'
  | 'invalid_address'
  | 'keychain_locked'
  | 'key_refused'
  | 'forbidden'
  | 'model_not_found'
  | 'provider_timeout'
  | 'context_too_long'
  | 'rate_limited'
  | 'provider_failed'
  | 'provider_unreachable'
  | 'content_filtered'
  | 'request_refused'
  | 'empty_reply'
  | 'quota_exceeded'
  | 'wrong_address'
  | 'provider_memory'
  | 'unoffered_tool'
  | 'not_saved'
  | 'not_readable'
  | 'saved_again'
  | 'set_aside'
  | 'generation_failed'
  | 'internal';

/**
 * Where a message is in its life; the last three are terminal.
 */
export type MessageState = 'queued' | 'generating' | 'stopping' | 'completed' | 'interrupted' | 'failed';

/**
 * What a stop found and did.
 */
export type Outcome =
  | 'interrupted'
  | 'already_completed'
  | 'already_interrupted'
  | 'already_failed'
  | 'made_elsewhere'
  | 'remembered'
  | 'not_found';

/**
 * Text that goes with a prompt: a selection, a cell, a file.
 */
export interface Attachment {
  name: string;
  text: string;
  mime_type?: string;
}

/**
 * A text of a message that is wanted from an offset on.
 *
 * `at` tells which attachment or tool call it is, from 0.
 */
export interface WantedPiece {
  message_id: string;
  part: 'text' | 'reasoning' | 'attachment' | 'tool_args' | 'tool_result';
  at?: number;
  offset?: number;
}

/**
 * What tells a client what is refused, so that it can say so before it sends.
 */
export interface Limits {
  max_frame_bytes: number;
  max_attachments: number;
  max_prompt_length: number;
  max_reply_length: number;
}

/**
 * One model that can be chosen; `local`: it runs on the server's own machine.
 *
 * `max_input_tokens`: how much it takes at once, where that is known.
 */
export interface ModelInfo {
  id: string;
  label: string;
  provider: string;
  local: boolean;
  available: boolean;
  reason?: ErrorCode;
  max_input_tokens?: number;
}

/**
 * One turn of a chat.
 *
 * `text` begins at `text_offset`, which is 0 except in an answer to an `open` that said how
 * much of it the client has. `reply_to` is the message before this one: the tree of a chat is
 * made of it. `reasoning` that is absent is as it was; where it is empty, deltas bring it from
 * its beginning. `left_out` names what a list does not carry of it. `version_of` names the
 * message that this one was made anew from. `retry` is there while a provider that did not
 * answer is waited for. `finish_reason` is there where a reply did not come to its own end.
 * `made_elsewhere`: another server on the same data makes it, so that this one can neither
 * follow nor stop it.
 */
export interface Message {
  id: string;
  chat_id: string;
  role: 'user' | 'assistant';
  text: string;
  text_offset: number;
  text_length: number;
  reasoning?: string;
  state: MessageState;
  created_at: string;
  reply_to?: string;
  version_of?: string;
  request_id?: string;
  model?: string;
  usage?: Usage;
  stop?: Receipt;
  error?: ErrorInfo;
  finish_reason?: 'length' | 'content_filter' | 'refusal' | 'cut_off';
  retry?: Retry;
  made_elsewhere: boolean;
  attachments: Attachment[];
  tools: ToolCall[];
  left_out?: LeftOut[];
}

/**
 * The tokens of one reply; `estimated` when the provider did not say.
 *
 * `sent_from` is the first message that was sent to the model, where older ones were not.
 */
export interface Usage {
  input_tokens?: number;
  output_tokens?: number;
  estimated: boolean;
  sent_from?: string;
}

/**
 * What a stop did and when, in milliseconds since it was requested.
 *
 * `provider` is `closed` when the code that opened the provider's stream has closed it,
 * `unconfirmed` when nobody can tell, `still_finishing` when code of the model runs on although
 * nobody listens (in a thread, or past its cancel), `not_started` when no request had been made.
 */
export interface Receipt {
  reason: 'user' | 'server_shutdown' | 'server_restart' | 'replaced' | 'deleted';
  requested_at: string;
  cancelled_ms?: number;
  provider: 'closed' | 'unconfirmed' | 'still_finishing' | 'not_started';
  provider_ms?: number;
  settled_ms?: number;
  discarded: boolean;
}

/**
 * What went wrong: a code of the table, its sentence, and the id it has in the log.
 *
 * `said` is what the provider itself said, without keys and paths: plain text, and nothing else.
 * `field` names the field of a request that is wrong.
 */
export interface ErrorInfo {
  code: ErrorCode;
  message: string;
  error_id?: string;
  said?: string;
  field?: string;
}

/**
 * What tells that a provider did not answer, and is asked again after `wait_ms` milliseconds.
 *
 * `attempt` is the number of the request that is made then; the first one was 1.
 */
export interface Retry {
  code: ErrorCode;
  attempt: number;
  wait_ms: number;
}

/**
 * One tool call of an agent.
 */
export interface ToolCall {
  call_id: string;
  name: string;
  state: 'running' | 'completed' | 'failed' | 'interrupted';
  args?: string;
  result?: string;
}

/**
 * A text that a list leaves out of a message, and its length; `read` brings it.
 *
 * `at` tells which attachment or tool call it belongs to, from 0.
 */
export interface LeftOut {
  part: 'text' | 'reasoning' | 'attachment' | 'tool_args' | 'tool_result';
  at: number;
  length: number;
}

/**
 * One conversation.
 */
export interface Chat {
  id: string;
  title?: string;
  owner: string;
  created_at: string;
  updated_at: string;
  state: 'idle' | 'generating' | 'queued' | 'paused';
}

/**
 * A part of a text: from `offset` on, of `length` in all.
 */
export interface Piece {
  message_id: string;
  part: 'text' | 'reasoning' | 'attachment' | 'tool_args' | 'tool_result';
  at: number;
  offset: number;
  text: string;
  length: number;
}

/**
 * The outcome of a stop for one message.
 */
export interface StopResult {
  message_id?: string;
  outcome: Outcome;
  receipt?: Receipt;
}
