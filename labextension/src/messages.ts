/** One message as a page holds it, and how what the server sends is merged into it. */
import { isTerminal } from './guards';
import { Delta, Message, Tool } from './protocol';

/**
 * A message in view.
 *
 * `text` is what is shown. From the press of Stop on it does not grow; what still arrives is kept
 * aside in `late`, and is only shown if the reply turns out complete, or if Stop failed.
 */
export interface MessageView {
  readonly id: string;
  readonly role: 'user' | 'assistant';
  readonly text: string;
  readonly late: string;
  readonly reasoning: string;
  /** Stop was pressed here, and the server has not settled it yet. */
  readonly frozen: boolean;
  /** Why Stop did not reach the server; null if it did, or was not pressed. */
  readonly stopFailed: string | null;
  /** The rest, as the server sent it; its `text` is not kept up. */
  readonly info: Message;
}

/** What a merge came to: `gap` says that text is missing, and must be asked for. */
export interface Merged {
  readonly view: MessageView;
  readonly gap: boolean;
}

/** Take a message in that was not known. */
export function newView(message: Message): Merged {
  return {
    view: {
      id: message.id,
      role: message.role,
      text: message.text_offset === 0 ? message.text : '',
      late: '',
      reasoning: message.reasoning ?? '',
      frozen: false,
      stopFailed: null,
      info: message
    },
    gap: message.text_offset > 0
  };
}

/**
 * Freeze a message in the moment that Stop is pressed.
 *
 * @param shown how much of its text is on the screen, in UTF-16 code units; all by default.
 */
export function freeze(view: MessageView, shown?: number): MessageView {
  if (isTerminal(view.info.state)) {
    return view;
  }
  const text = view.text.slice(0, shown ?? view.text.length);
  const late = view.text.slice(text.length) + view.late;
  return { ...view, text, late, frozen: true, stopFailed: null };
}

/** Let a message go on, because Stop did not reach the server. */
export function unfreeze(view: MessageView, why: string): MessageView {
  return view.frozen
    ? { ...view, text: view.text + view.late, late: '', frozen: false, stopFailed: why }
    : view;
}

/** Merge a message of the server, which may carry only the tail of its text. */
export function mergeMessage(view: MessageView, message: Message): Merged {
  const had = view.text + view.late;
  const terminal = isTerminal(message.state);
  const gap = message.text_offset > had.length;
  let full = gap ? had : had.slice(0, message.text_offset) + message.text;
  if (!terminal && full.length < had.length && had.startsWith(full)) {
    full = had; // a frame made before the last deltas takes nothing back
  }
  const told = message.reasoning ?? view.reasoning;
  // An empty one says that deltas bring it again; what is there already may stay until then.
  const reasoning = !terminal && view.reasoning.startsWith(told) ? view.reasoning : told;
  const next = { ...view, reasoning, info: message };
  if (!terminal) {
    const goesOn = isTerminal(view.info.state); // a kept partial reply is gone on from
    if (view.frozen && !goesOn) {
      const shown = view.text.length;
      return { view: { ...next, text: full.slice(0, shown), late: full.slice(shown) }, gap };
    }
    return { view: { ...next, text: full, late: '', frozen: false }, gap };
  }
  let end = message.text_length;
  if (message.state === 'interrupted' && view.frozen) {
    end = Math.min(end, view.text.length); // nothing grows back
  }
  const text = full.slice(0, end);
  return {
    view: { ...next, text: text === view.text ? view.text : text, late: '', frozen: false, stopFailed: null },
    gap: gap || (full.length < message.text_length && end === message.text_length)
  };
}

/** Append a delta; what is there already is not appended twice. */
export function mergeDelta(view: MessageView, delta: Delta): Merged {
  if (isTerminal(view.info.state)) {
    return { view, gap: false };
  }
  const had = delta.part === 'reasoning' ? view.reasoning : view.text + view.late;
  if (delta.offset > had.length) {
    return { view, gap: true };
  }
  const fresh = delta.text.slice(had.length - delta.offset);
  if (!fresh || (delta.part === 'reasoning' && view.frozen)) {
    return { view, gap: false };
  }
  if (delta.part === 'reasoning') {
    return { view: { ...view, reasoning: had + fresh }, gap: false };
  }
  return {
    view: view.frozen ? { ...view, late: view.late + fresh } : { ...view, text: view.text + fresh },
    gap: false
  };
}

/** Note a tool call, in the place that it has had since it started. */
export function mergeTool(view: MessageView, frame: Tool): MessageView {
  const { type: _type, message_id: _id, ...call } = frame;
  const known = view.info.tools ?? [];
  const at = known.findIndex(tool => tool.call_id === call.call_id);
  const tools =
    at < 0
      ? [...known, call]
      : known.map((tool, index) => (index === at ? { ...tool, ...call } : tool));
  return { ...view, info: { ...view.info, tools } };
}
