/*
 * The objects inside the frames of the wire contract.
 * Generated from jupyter_stop_chat/wire/ by scripts/generate_protocol.py: do not edit.
 */

import { CallCounts, Changes, KernelStop, ServerStop, ToolCall } from './tools';

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
  | 'mode_not_allowed'
  | 'answered_already'
  | 'asked_anew'
  | 'asked_each_time'
  | 'answer_too_large'
  | 'unknown_mcp'
  | 'tool_changed'
  | 'no_picture'
  | 'broken_picture'
  | 'picture_too_large'
  | 'unknown_picture'
  | 'too_many_pictures'
  | 'pictures_not_saved'
  | 'cannot_see'
  | 'too_much_to_see'
  | 'too_many_uploads'
  | 'file_too_large'
  | 'file_too_slow'
  | 'unknown_file'
  | 'no_documents'
  | 'bad_document'
  | 'busy'
  | 'too_many_generations'
  | 'server_busy'
  | 'too_fast'
  | 'too_many_sockets'
  | 'too_many_chats'
  | 'budget_spent'
  | 'too_many_stuck'
  | 'reply_too_long'
  | 'took_too_long'
  | 'too_many_steps'
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
  | 'cannot_use_tools'
  | 'not_saved'
  | 'newer_database'
  | 'not_readable'
  | 'saved_again'
  | 'set_aside'
  | 'others_late'
  | 'others_again'
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
 * What goes with a prompt: text of a selection, a cell, a file; or a picture.
 *
 * `kind`: a person attached it, or it is the context that the page put together as the prompt
 * was sent: where they were, and what the prompt names.
 *
 * A picture that was uploaded has a `blob`, the digest of its bytes, and no text. Its type and
 * its size in pixels are the server's word, whatever a client says of them.
 */
export interface Attachment {
  name: string;
  text: string;
  mime_type?: string;
  kind?: 'attachment' | 'context';
  blob?: string | null;
  width?: number | null;
  height?: number | null;
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
  max_upload_bytes: number;
  max_prompt_length: number;
  max_reply_length: number;
}

/**
 * One model that can be chosen; `local`: it runs on the server's own machine.
 *
 * `max_input_tokens`: how much it takes at once, where that is known. `image_inputs`: whether it
 * takes pictures, and `tool_calling`: whether it can call tools, likewise.
 */
export interface ModelInfo {
  id: string;
  label: string;
  provider: string;
  local: boolean;
  available: boolean;
  reason?: ErrorCode;
  max_input_tokens?: number;
  image_inputs?: boolean;
  tool_calling?: boolean;
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
 * `instructions` are the digests of what it was made with, and `path` is the notebook or file
 * that was open at a prompt. `cost` is noted as a reply ends, and stays so; absent where nobody
 * knows its price. `made_elsewhere`: another server on the same data makes it, and is
 * asked for what only it can do. `mode`: whether a reply is made with tools. `changes` are there
 * where it changed anything.
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
  cost?: Cost;
  stop?: Receipt;
  error?: ErrorInfo;
  finish_reason?: 'length' | 'content_filter' | 'refusal' | 'cut_off';
  retry?: Retry;
  made_elsewhere: boolean;
  attachments: Attachment[];
  tools: ToolCall[];
  instructions?: string[];
  path?: string;
  mode?: 'ask' | 'agent';
  changes?: Changes;
  left_out?: LeftOut[];
}

/**
 * The tokens of one reply; `estimated` when the provider did not say.
 *
 * `cache_read_tokens` and `cache_write_tokens` are those of the input that were read from the
 * provider's cache, and written to it; `reasoning_tokens` are those of the output that were
 * thought. `sent_from` is the first message that was sent to the model, where older ones were
 * not: they and the others together are too long for it.
 */
export interface Usage {
  input_tokens?: number;
  output_tokens?: number;
  cache_read_tokens?: number;
  cache_write_tokens?: number;
  reasoning_tokens?: number;
  estimated: boolean;
  sent_from?: string;
}

/**
 * What a reply cost by its provider's list of prices, in millionths of a dollar.
 *
 * `estimated`: its tokens were, or it was made at another address than the provider's own.
 */
export interface Cost {
  amount: number;
  estimated: boolean;
}

/**
 * What a stop did and when, in milliseconds since it was requested.
 *
 * `provider` is `closed` when the code that opened the provider's stream has closed it,
 * `unconfirmed` when nobody can tell, `still_finishing` when code of the model runs on although
 * nobody listens (in a thread, or past its cancel), `not_started` when no request had been made.
 */
export interface Receipt {
  reason: 'user' | 'server_shutdown' | 'server_restart' | 'server_gone' | 'replaced' | 'deleted';
  requested_at: string;
  cancelled_ms?: number;
  provider: 'closed' | 'unconfirmed' | 'still_finishing' | 'not_started';
  provider_ms?: number;
  settled_ms?: number;
  discarded: boolean;
  calls?: CallCounts;
  kernel?: KernelStop;
  server?: ServerStop;
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
 *
 * `spent` is what was used in it: by all versions, by what was stopped, failed or discarded, and
 * by its title.
 */
export interface Chat {
  id: string;
  title?: string;
  owner: string;
  created_at: string;
  updated_at: string;
  state: 'idle' | 'generating' | 'asking' | 'queued' | 'paused';
  spent?: Spent;
}

/**
 * What several replies used together; `cost` is in millionths of a dollar.
 *
 * `estimated`: something of it was. `unpriced`: some of these tokens have a price that nobody
 * knows, so that they cost more than that.
 */
export interface Spent {
  input_tokens: number;
  output_tokens: number;
  cost: number;
  estimated: boolean;
  unpriced: boolean;
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
