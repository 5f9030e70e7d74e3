/** What is read off a chat: which messages are shown, which wait, and what Stop aims at. */
import { isTerminal } from '../wire/guards';
import { hasText, MessageView } from './messages';
import { ChatView } from './replies';
import { line } from './versions';

/** What Stop aims at now. */
export interface Target {
  readonly messageId?: string;
  readonly requestId?: string;
  /** How much of its text is shown, in UTF-16 code units. */
  readonly shown: number;
  /** It was stopped already, and is not settled yet. */
  readonly stopping: boolean;
}

/** The messages to show: one line through the tree, the newest or chosen versions, none discarded. */
export function visible(state: ChatView): readonly MessageView[] {
  const { messages, choices } = state;
  if (latest.messages !== messages || latest.choices !== choices) {
    latest = { messages, choices, shown: line(messages, choices) };
  }
  return latest.shown;
}

/** The last answer: several parts of the panel ask for it after each change. */
let latest: Pick<ChatView, 'messages' | 'choices'> & { shown: readonly MessageView[] } = {
  messages: [],
  choices: {},
  shown: []
};

/** Tell whether a reply is being made, or will be: here, or by another server that is asked. */
function isOpen(view: MessageView): boolean {
  return view.role === 'assistant' && !isTerminal(view.info.state);
}

/** Tell whether a stop has paused the queue: what waits does so until somebody goes on. */
export function isPaused(state: ChatView): boolean {
  if (state.chat?.state !== 'queued') {
    return state.chat?.state === 'paused';
  }
  // where another server makes a chat's replies, ours knows what waits there, but not why
  const replies = visible(state).filter(view => view.role === 'assistant');
  const next = replies.findIndex(isOpen);
  const waits = next > 0 && replies[next].info.state === 'queued';
  const { state: ended, stop } = replies[next - 1]?.info ?? {};
  const stopped = ended === 'interrupted' && stop?.reason === 'user';
  return waits && replies[next].info.made_elsewhere && stopped;
}

/** The replies that are not being made yet: they wait behind another one, or are paused. */
export function queued(state: ChatView): readonly MessageView[] {
  const open = visible(state).filter(isOpen);
  const paused = isPaused(state);
  return open.filter(
    (view, index) => view.info.state === 'queued' && !view.frozen && (index > 0 || paused)
  );
}

/** The words of the prompts of a chat, the oldest first; those that are not here yet are left out. */
export function promptWords(state: ChatView): string[] {
  const sent = visible(state).filter(view => view.role === 'user' && hasText(view));
  const asked = state.pending.filter(one => one.kind === 'send');
  return [...sent.map(view => view.text), ...asked.map(one => one.body)];
}

/** What Stop aims at: the reply that is being made, else the request that was sent last. */
export function target(state: ChatView): Target | null {
  const waiting = new Set(queued(state).map(view => view.id));
  const active = state.messages.find(view => isOpen(view) && !waiting.has(view.id));
  if (active && active.id) {
    return {
      messageId: active.id,
      shown: active.text.length,
      stopping: active.frozen || active.info.state === 'stopping'
    };
  }
  const pending = state.pending[0];
  if (pending) {
    const from = state.messages.find(view => view.id === pending.messageId);
    return {
      requestId: pending.requestId,
      shown: pending.kind === 'continue' ? (from?.text.length ?? 0) : 0,
      stopping: pending.stopping
    };
  }
  return null;
}

/** Tell whether a reply is being made, or was just asked for. */
export function isBusy(state: ChatView): boolean {
  return target(state) !== null;
}

/** What a key, another address, or the local model once it is installed, mends. */
const FOR_WANT_OF_A_KEY: ReadonlySet<string | undefined> = new Set([
  'missing_key',
  'key_refused',
  'invalid_key',
  'forbidden',
  'wrong_address',
  'local_model_missing'
]);

/** The reply at the end, where that failed for want of a provider's key and nothing is being made. */
export function failedForKey(state: ChatView, provider: string): MessageView | null {
  const last = visible(state).at(-1);
  const failed =
    last?.info.state === 'failed' &&
    FOR_WANT_OF_A_KEY.has(last.info.error?.code) &&
    last.info.model?.split(':')[0] === provider;
  return failed && !isBusy(state) ? last : null;
}

/** How far the reply is that a person waits for, or looked at last. */
export type Phase =
  | MessageView['info']['state']
  | 'none'
  | 'waiting'
  | 'generating'
  | 'asking'
  | 'stopping'
  | 'cannot_stop';

/**
 * Tell how far the newest reply is that does not wait in the queue, and which that is.
 *
 * @param lost there is no connection to the server: what is asked for waits for it.
 */
export function phase(state: ChatView, lost: boolean): [Phase, MessageView | undefined] {
  const waiting = new Set(queued(state));
  const replies = visible(state).filter(view => view.role === 'assistant' && !waiting.has(view));
  const latest = replies[replies.length - 1];
  const asked = state.pending[0];
  if (latest?.stopFailed ?? asked?.stopFailed) {
    return ['cannot_stop', latest];
  }
  if (latest && !isTerminal(latest.info.state)) {
    const stops = latest.frozen || latest.info.state === 'stopping';
    const asks = latest.info.tools?.some(call => call.state === 'asked' && call.approval);
    return [stops ? 'stopping' : asks ? 'asking' : 'generating', latest];
  }
  if (asked) {
    return [asked.stopping ? 'stopping' : lost ? 'waiting' : 'generating', latest];
  }
  return [latest ? latest.info.state : 'none', latest];
}

/** What the one button does now. */
export function buttonMode(state: ChatView): 'send' | 'stop' | 'stopping' {
  const aim = target(state);
  return aim === null ? 'send' : aim.stopping ? 'stopping' : 'stop';
}

/** How much of each message is here, so that the server sends only the rest. */
export function offsets(state: ChatView): Record<string, number> {
  return Object.fromEntries(
    state.messages.map(view => [view.id, view.text.length + view.late.length])
  );
}
