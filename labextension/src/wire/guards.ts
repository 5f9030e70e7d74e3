/** Read what a server sent: a page must outlive a frame that it does not understand. */
import { Message, MessageState, Receipt, ServerFrame } from './protocol';

type Check = (value: unknown) => boolean;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isString: Check = value => typeof value === 'string';
const isId: Check = value => typeof value === 'string' && value.length > 0;
const isOffset: Check = value => Number.isSafeInteger(value) && (value as number) >= 0;
const isArray: Check = value => Array.isArray(value);
const maybe =
  (check: Check): Check =>
  value =>
    value === undefined || check(value);

const STATES: readonly MessageState[] = [
  'queued',
  'generating',
  'stopping',
  'completed',
  'interrupted',
  'failed'
];

/** Tell whether a state is the last one of a message. */
export function isTerminal(state: MessageState): boolean {
  return state === 'completed' || state === 'interrupted' || state === 'failed';
}

/** Why a reply was interrupted that nobody wished to stop: its server ended. */
const BY_ITS_SERVER: ReadonlySet<Receipt['reason']> = new Set([
  'server_shutdown',
  'server_restart',
  'server_gone'
]);

/** Tell whether a reply was interrupted by nobody's wish: it broke off, or its server ended. */
export function brokeOff({ state, stop }: Message): boolean {
  const wished = stop && !BY_ITS_SERVER.has(stop.reason);
  return state === 'interrupted' && !wished;
}

/** The request that a frame refuses: a stop that failed refuses nothing. */
export function refusedBy(frame: ServerFrame): string | undefined {
  return frame.type === 'error' && frame.of !== 'stop' ? frame.request_id : undefined;
}

export function isMessage(value: unknown): value is Message {
  return (
    isObject(value) &&
    isId(value.id) &&
    isId(value.chat_id) &&
    (value.role === 'user' || value.role === 'assistant') &&
    isString(value.text) &&
    isOffset(value.text_offset) &&
    isOffset(value.text_length) &&
    STATES.includes(value.state as MessageState)
  );
}

const isChat: Check = value =>
  isObject(value) && isId(value.id) && isString(value.state) && maybe(isString)(value.title);

const isMessages: Check = value => Array.isArray(value) && value.every(isMessage);

const isPiece: Check = value =>
  isObject(value) &&
  isId(value.message_id) &&
  isString(value.part) &&
  isOffset(value.at) &&
  isOffset(value.offset) &&
  isString(value.text) &&
  isOffset(value.length);

const FIELDS: Record<ServerFrame['type'], Record<string, Check>> = {
  welcome: { protocol: isOffset, epoch: isString, limits: isObject, models: isArray },
  accepted: { request_id: isId, chat_id: isId, user_message: isMessage, message: isMessage },
  chat: {
    chat: isChat,
    messages: maybe(isMessages),
    earlier: maybe(isOffset)
  },
  messages: { chat_id: isId, messages: isMessages, earlier: isOffset },
  pieces: {
    request_id: isId,
    chat_id: isId,
    pieces: value => Array.isArray(value) && value.every(isPiece)
  },
  delta: {
    message_id: isId,
    offset: isOffset,
    text: isString,
    part: value => value === 'text' || value === 'reasoning'
  },
  thought: { message_id: isId, text_length: isOffset },
  message: { message: isMessage },
  tool: { message_id: isId, call_id: isString, name: isString, state: isString },
  tool_request: { call: isId, message_id: isId, operation: isString, args: isObject },
  tool_cancel: { call: isId },
  stop_result: {
    message_id: maybe(isId),
    request_id: maybe(isId),
    chat_id: maybe(isId),
    results: value => Array.isArray(value) && value.every(one => isObject(one) && isString(one.outcome))
  },
  pong: {},
  error: {
    code: isString,
    message: isString,
    request_id: maybe(isId),
    chat_id: maybe(isId),
    message_id: maybe(isId)
  }
};

/** Check a frame of the server; null when it is none, or one that this page does not know. */
export function asServerFrame(value: unknown): ServerFrame | null {
  if (!isObject(value) || typeof value.type !== 'string' || !Object.hasOwn(FIELDS, value.type)) {
    return null;
  }
  const fields = FIELDS[value.type as ServerFrame['type']];
  for (const [name, check] of Object.entries(fields)) {
    if (!check(value[name])) {
      return null;
    }
  }
  return value as unknown as ServerFrame;
}

/** Read the text of a frame. */
export function parseServerFrame(raw: string): ServerFrame | null {
  try {
    return asServerFrame(JSON.parse(raw));
  } catch {
    return null;
  }
}
