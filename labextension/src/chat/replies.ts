/**
 * What one chat shows: a pure reducer over the server's frames and what the person does.
 *
 * It imports nothing of JupyterLab or React, and changes nothing in place: a message that did not
 * change is the same object as before.
 */
import { isTerminal, refusedBy } from '../wire/guards';
import {
  freeze,
  mergeDelta,
  mergeMessage,
  mergePiece,
  mergeThought,
  mergeTool,
  Merged,
  MessageView,
  newView,
  unfreeze
} from './messages';
import { choose } from './versions';
import {
  Accepted,
  Attachment,
  Chat,
  Error,
  ErrorCode,
  Message,
  Piece,
  ServerFrame,
  StopResult
} from '../wire/protocol';

/** So many requests that were stopped before they arrived are remembered. */
export const MOST_STOPPED = 100;
/** What is told of the server itself, and lasts until it says otherwise. */
const LASTING: readonly string[] = ['not_saved', 'newer_database', 'others_late'];
/** What is told where nothing can be saved. */
const UNSAVED: readonly string[] = ['not_saved', 'newer_database'];
/** What is told of how soon other servers are reached. */
const OF_OTHERS: readonly string[] = ['others_late', 'others_again'];

/** A request that the server has not answered yet. */
export interface Pending {
  readonly requestId: string;
  readonly kind: 'send' | 'continue' | 'regenerate' | 'edit';
  /** The prompt of a `send` or an `edit`; else empty. */
  readonly body: string;
  readonly attachments: readonly Attachment[];
  /** Its words are kept elsewhere: they do not come back into the input. */
  readonly elsewhere: boolean;
  /** The message that is gone on from, or made anew. */
  readonly messageId: string | null;
  /** Stop was pressed since. */
  readonly stopping: boolean;
  readonly stopFailed: string | null;
}

/** Something to tell that belongs to no message. */
export interface Notice {
  readonly code: ErrorCode | 'cannot_stop' | 'not_done';
  readonly text: string;
  /** What the error is called in the server's log. */
  readonly errorId?: string;
  /** What can be done instead. */
  readonly offer?: Offer;
}

/** What a person can do at a press of a button. */
export interface Offer {
  readonly label: string;
  readonly accept: () => void;
}

export interface ChatView {
  /** The chat on the server; null for a new one that it does not know yet. */
  readonly chatId: string | null;
  readonly chat: Chat | null;
  readonly messages: readonly MessageView[];
  readonly pending: readonly Pending[];
  /** Requests that were stopped before they had reached the server: they may still arrive. */
  readonly stopped: readonly string[];
  readonly notice: Notice | null;
  /** Text is missing: `wanted` until it is asked for, `asked` until it came. */
  readonly resync: 'no' | 'wanted' | 'asked';
  /** The chat was opened, and its messages have not come yet. */
  readonly loading: boolean;
  /** Why the chat could not be opened; null when it could, or was not answered yet. */
  readonly failure: string | null;
  /** The messages that were listed, while older ones are still to be listed; else null. */
  readonly listed: readonly string[] | null;
  /** The versions that the person chose to see, by where they fork. */
  readonly choices: Readonly<Record<string, string>>;
}

export type Action =
  | { type: 'frame'; frame: ServerFrame }
  | {
      type: 'request';
      requestId: string;
      kind: Pending['kind'];
      body?: string;
      attachments?: readonly Attachment[];
      elsewhere?: boolean;
      messageId?: string;
    }
  | { type: 'stop'; messageId?: string; requestId?: string; shown?: number }
  | { type: 'stop_failed'; messageId?: string; requestId?: string; why: string }
  | { type: 'withdrawn'; requestId: string }
  | { type: 'choose'; messageId: string }
  | { type: 'resync_asked' }
  | { type: 'pieces'; pieces: readonly Piece[] }
  | { type: 'dismiss' };

export function emptyChat(chatId: string | null = null): ChatView {
  return {
    chatId,
    chat: null,
    messages: [],
    pending: [],
    stopped: [],
    notice: null,
    resync: 'no',
    loading: chatId !== null,
    failure: null,
    listed: null,
    choices: {}
  };
}

export function reduce(state: ChatView, action: Action): ChatView {
  switch (action.type) {
    case 'frame':
      return withoutOld(state, receiveFrame(state, action.frame));
    case 'request':
      return {
        ...state,
        // what lasts until the server says otherwise
        notice: LASTING.includes(state.notice?.code ?? '') ? state.notice : null,
        pending: [
          ...state.pending,
          {
            requestId: action.requestId,
            kind: action.kind,
            body: action.body ?? '',
            attachments: action.attachments ?? [],
            elsewhere: action.elsewhere ?? false,
            messageId: action.messageId ?? null,
            stopping: false,
            stopFailed: null
          }
        ]
      };
    case 'stop':
      return onTarget(state, action, view => freeze(view, action.shown), pending => ({
        ...pending,
        stopping: true,
        stopFailed: null
      }));
    case 'stop_failed':
      return onTarget(
        state,
        action,
        view => unfreeze(view, action.why),
        pending => ({ ...pending, stopping: false, stopFailed: action.why })
      );
    case 'withdrawn':
      return withoutPending(state, action.requestId);
    case 'choose':
      return { ...state, choices: choose(state.messages, state.choices, action.messageId) };
    case 'resync_asked':
      return { ...state, resync: 'asked', failure: null };
    case 'pieces':
      return action.pieces.reduce(
        (now, piece) =>
          change(now, piece.message_id, view => justView(mergePiece(view, piece))),
        state
      );
    case 'dismiss':
      return state.notice ? { ...state, notice: null } : state;
  }
}

function onTarget(
  state: ChatView,
  target: { messageId?: string; requestId?: string },
  change: (view: MessageView) => MessageView,
  changePending: (pending: Pending) => Pending
): ChatView {
  return {
    ...state,
    messages: state.messages.map(view =>
      view.id === target.messageId ||
      (view.role === 'assistant' &&
        target.requestId !== undefined &&
        view.info.request_id === target.requestId)
        ? change(view)
        : view
    ),
    pending: state.pending.map(pending =>
      pending.requestId === target.requestId ? changePending(pending) : pending
    )
  };
}

function withoutPending(state: ChatView, requestId: string | undefined): ChatView {
  const pending = state.pending.filter(one => one.requestId !== requestId);
  return pending.length === state.pending.length ? state : { ...state, pending };
}

function receiveFrame(state: ChatView, frame: ServerFrame): ChatView {
  switch (frame.type) {
    case 'accepted':
      return receiveAccepted(state, frame);
    case 'chat': {
      if (frame.chat.id !== state.chatId) {
        return state;
      }
      const next = { ...state, chat: frame.chat };
      const opened = { ...next, loading: false, failure: null, resync: 'no' as const };
      return frame.messages
        ? mergeList({ ...opened, listed: [] }, frame.messages, frame.earlier ?? 0)
        : next;
    }
    case 'messages':
      return frame.chat_id === state.chatId && state.listed
        ? mergeList(state, frame.messages, frame.earlier)
        : state;
    case 'delta':
      return change(state, frame.message_id, view => mergeDelta(view, frame));
    case 'thought':
      return change(state, frame.message_id, view => justView(mergeThought(view, frame)));
    case 'message':
      return frame.message.chat_id === state.chatId ? mergeAll(state, [frame.message]) : state;
    case 'tool':
      return change(state, frame.message_id, view => justView(mergeTool(view, frame)));
    case 'stop_result':
      return frame.request_id && !frame.results.some(goesOn)
        ? receiveStopResult(state, frame.request_id)
        : state;
    case 'error':
      return receiveError(state, frame);
    default: // for the socket, or for who asked
      return state;
  }
}

function receiveError(state: ChatView, frame: Error): ChatView {
  if (state.loading && frame.chat_id === state.chatId && !frame.request_id) {
    return { ...state, failure: frame.message };
  }
  const told = { code: frame.code, text: frame.message, errorId: frame.error_id };
  // that nothing can be saved is graver than how soon others are reached
  const graver = UNSAVED.includes(state.notice?.code ?? '') && OF_OTHERS.includes(frame.code);
  const notice = graver ? state.notice : told;
  return { ...withoutPending(state, refusedBy(frame)), notice };
}

/** Tell whether a stop has not reached the server that makes a reply: it goes on. */
export function goesOn(result: StopResult): boolean {
  return result.outcome === 'made_elsewhere';
}

function receiveStopResult(state: ChatView, requestId: string): ChatView {
  const next = withoutPending(state, requestId);
  if (next === state) {
    return state;
  }
  return { ...next, stopped: [...state.stopped, requestId].slice(-MOST_STOPPED) };
}

function receiveAccepted(state: ChatView, frame: Accepted): ChatView {
  const ours = state.pending.find(one => one.requestId === frame.request_id);
  const wasStopped = state.stopped.includes(frame.request_id) || ours?.stopping === true;
  if (state.chatId !== frame.chat_id && !(state.chatId === null && (ours || wasStopped))) {
    return state;
  }
  const stopped = state.stopped.filter(one => one !== frame.request_id);
  let next = mergeAll(
    { ...withoutPending(state, frame.request_id), chatId: frame.chat_id, stopped },
    [frame.user_message, frame.message]
  );
  if (wasStopped) {
    next = reduce(next, { type: 'stop', messageId: frame.message.id });
  }
  return next;
}

const justView = (view: MessageView): Merged => ({ view, gap: false });

function change(state: ChatView, id: string, how: (view: MessageView) => Merged): ChatView {
  const at = state.messages.findIndex(view => view.id === id);
  if (at < 0) {
    return state;
  }
  const { view, gap } = how(state.messages[at]);
  return withGap(
    view === state.messages[at]
      ? state
      : { ...state, messages: state.messages.map((one, index) => (index === at ? view : one)) },
    gap
  );
}

function withGap(state: ChatView, gap: boolean): ChatView {
  return gap && state.resync === 'no' ? { ...state, resync: 'wanted' } : state;
}

function mergeAll(state: ChatView, incoming: readonly Message[]): ChatView {
  const { views, gap } = merged(state, incoming);
  // what is new is what the person looks at
  const fresh = incoming.filter(one => !state.messages.some(view => view.id === one.id));
  const choices = fresh.length > 0 && state.messages.length > 0 ? {} : state.choices;
  const listed = state.listed && [...state.listed, ...fresh.map(one => one.id)];
  return withGap({ ...state, choices, listed, messages: [...views.values()] }, gap);
}

/**
 * Merge a part of the answer to `open`, which lists a chat's messages from the newest ones on: it
 * tells their order, and once it is complete, which are gone. What it lacks of messages that have
 * ended is asked for by itself.
 */
function mergeList(state: ChatView, incoming: readonly Message[], earlier: number): ChatView {
  const { views, gap } = merged(state, incoming, one => !isTerminal(one.state));
  const listed = [...incoming.map(one => one.id), ...(state.listed ?? [])];
  const inList = new Set(listed);
  const messages = listed.flatMap(id => views.get(id) ?? []);
  const others = earlier > 0 ? state.messages.filter(view => !inList.has(view.id)) : [];
  // what was asked for and is here needs no other answer
  const answered = new Set(incoming.map(one => one.request_id));
  const isHere = (one: Pending): boolean => answered.has(one.requestId);
  const next: ChatView = {
    ...state,
    messages: [...others, ...messages],
    listed: earlier > 0 ? listed : null,
    pending: state.pending.filter(one => !isHere(one))
  };
  const stopped = state.pending.filter(one => isHere(one) && one.stopping);
  const frozen = stopped.reduce<ChatView>(
    (now, one) => reduce(now, { type: 'stop', requestId: one.requestId }),
    next
  );
  return withGap(frozen, gap);
}

/** Merge messages into those that are known; `gap`: one that counts lacks text. */
function merged(
  state: ChatView,
  incoming: readonly Message[],
  counts: (message: Message) => boolean = () => true
): { views: Map<string, MessageView>; gap: boolean } {
  const views = new Map(state.messages.map(view => [view.id, view]));
  let gap = false;
  for (const message of incoming) {
    const known = views.get(message.id);
    const { view, gap: lacks } = known ? mergeMessage(known, message) : newView(message);
    views.set(message.id, view);
    gap = gap || (lacks && counts(message));
  }
  return { views, gap };
}

/** Drop the notice that another server makes a reply, once none does. */
function withoutOld(before: ChatView, after: ChatView): ChatView {
  const told = before.notice?.code === 'made_elsewhere' && after.notice === before.notice;
  const over = told && before.messages.some(isMadeElsewhere);
  return over && !after.messages.some(isMadeElsewhere) ? { ...after, notice: null } : after;
}

function isMadeElsewhere(view: MessageView): boolean {
  return view.info.made_elsewhere && !isTerminal(view.info.state);
}
