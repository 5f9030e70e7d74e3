/** One message as a page holds it, and how what the server sends is merged into it. */
import { isTerminal } from '../wire/guards';
import { Delta, Message, Piece, Thought, Tool, WantedPiece } from '../wire/protocol';

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
  /** Where this page cut it at a Stop: nothing behind that comes back; else null. */
  readonly cut: number | null;
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

/** Make the view of a message that is new here. */
export function newView(message: Message): Merged {
  return {
    view: {
      id: message.id,
      role: message.role,
      text: message.text_offset === 0 ? message.text : '',
      late: '',
      reasoning: message.reasoning ?? '',
      frozen: false,
      cut: null,
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
  const ended = isTerminal(view.info.state);
  const isSame = terminal && ended && view.info.text_length === message.text_length;
  if ((!terminal || isSame) && full.length < had.length && had.startsWith(full)) {
    full = had; // a frame that is older than the last deltas, or a list, removes nothing
  }
  const told = message.reasoning ?? view.reasoning;
  // An empty one says that deltas bring it again; what is there already may stay until then.
  const reasoning = !terminal && view.reasoning.startsWith(told) ? view.reasoning : told;
  const next = { ...view, reasoning, info: withKnown(view, message) };
  if (!terminal) {
    // a kept partial reply is gone on from
    if (view.frozen && !ended) {
      const shown = view.text.length;
      return { view: { ...next, text: full.slice(0, shown), late: full.slice(shown) }, gap };
    }
    const stopFailed = message.state === 'stopping' ? null : view.stopFailed; // it is stopped now
    return { view: { ...next, text: full, late: '', frozen: false, cut: null, stopFailed }, gap };
  }
  let cut: number | null = null;
  if (message.state === 'interrupted' && view.frozen) {
    cut = view.text.length; // nothing grows back
  } else if (isSame && message.state === 'interrupted') {
    cut = view.cut;
  }
  const end = Math.min(message.text_length, cut ?? Infinity);
  const text = full.slice(0, end);
  return {
    view: {
      ...next,
      text: text === view.text ? view.text : text,
      late: '',
      frozen: false,
      cut,
      stopFailed: null
    },
    gap: gap || (full.length < message.text_length && end === message.text_length)
  };
}

/** Which text of a message is meant. */
type Which = Pick<WantedPiece, 'part' | 'at'>;

/** Return one of the texts of a message, as much of it as is here. */
function textOf(view: MessageView, { part, at = 0 }: Which): string {
  switch (part) {
    case 'text':
      return view.text;
    case 'reasoning':
      return view.reasoning;
    case 'attachment':
      return view.info.attachments?.[at]?.text ?? '';
    case 'tool_args':
      return view.info.tools?.[at]?.args ?? '';
    case 'tool_result':
      return view.info.tools?.[at]?.result ?? '';
  }
}

/** Put one of the texts into a message. */
function withText(info: Message, { part, at = 0 }: Which, text: string): Message {
  if (part === 'attachment') {
    const put = (info.attachments ?? []).map((one, n) => (n === at ? { ...one, text } : one));
    return { ...info, attachments: put };
  }
  const name = part === 'tool_args' ? 'args' : 'result';
  const put = (info.tools ?? []).map((one, n) => (n === at ? { ...one, [name]: text } : one));
  return part === 'reasoning' || part === 'text' ? info : { ...info, tools: put };
}

/** Keep what is here already of the texts that a list leaves out. */
function withKnown(view: MessageView, message: Message): Message {
  if (!message.left_out) {
    return message;
  }
  let info = message;
  for (const one of message.left_out) {
    const text = textOf(view, one);
    if (text.length <= one.length) {
      info = withText(info, one, text);
    }
  }
  const left = message.left_out.filter(one => textOf(view, one).length !== one.length);
  return { ...info, left_out: left };
}

/** Tell whether all of the text of a message is here; of one that grows, the rest is on its way. */
export function hasText(view: MessageView): boolean {
  const { state, text_length } = view.info;
  return !isTerminal(state) || view.text.length >= Math.min(text_length, view.cut ?? Infinity);
}

/** Tell whether all that belongs to a message is here. */
export function isWhole(view: MessageView): boolean {
  return hasText(view) && !view.info.left_out?.length;
}

/**
 * Name the texts of a message that are not here.
 *
 * @param details those beside its text as well: reasoning, attachments, tools.
 */
export function missing(view: MessageView, details = false): WantedPiece[] {
  const left = details ? (view.info.left_out ?? []) : [];
  const ask = (which: Which): WantedPiece => ({
    message_id: view.id,
    part: which.part,
    at: which.at,
    offset: textOf(view, which).length
  });
  return [...(hasText(view) ? [] : [ask({ part: 'text', at: 0 })]), ...left.map(ask)];
}

/** Merge a text that was asked for; one of another state of the message changes nothing. */
export function mergePiece(view: MessageView, piece: Piece): MessageView {
  const had = textOf(view, piece);
  const left = view.info.left_out ?? [];
  const entry = left.find(one => one.part === piece.part && (one.at ?? 0) === piece.at);
  const length = piece.part === 'text' ? view.info.text_length : entry?.length;
  const isFit = piece.length === length && piece.offset <= had.length;
  const text = had + piece.text.slice(had.length - piece.offset);
  if (!isFit || text.length === had.length || (piece.part === 'text' && hasText(view))) {
    return view;
  }
  if (piece.part === 'text') {
    return { ...view, text: text.slice(0, view.cut ?? undefined) };
  }
  const left_out = text.length < piece.length ? left : left.filter(one => one !== entry);
  const info = { ...withText(view.info, piece, text), left_out };
  return piece.part === 'reasoning' ? { ...view, reasoning: text, info } : { ...view, info };
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
  if (delta.part === 'reasoning') {
    // what was moved there as a thought may belong behind what comes now
    const reasoning = had.slice(0, delta.offset) + delta.text;
    const isKnown = view.frozen || had.startsWith(reasoning);
    return { view: isKnown ? view : { ...view, reasoning }, gap: false };
  }
  const fresh = delta.text.slice(had.length - delta.offset);
  if (!fresh) {
    return { view, gap: false };
  }
  return {
    view: view.frozen ? { ...view, late: view.late + fresh } : { ...view, text: view.text + fresh },
    gap: false
  };
}

/** Move text that was a thought to the reasoning, where deltas bring all of it. */
export function mergeThought(view: MessageView, thought: Thought): MessageView {
  const had = view.text + view.late;
  const end = thought.text_length;
  if (isTerminal(view.info.state) || had.length <= end) {
    return view;
  }
  return {
    ...view,
    text: view.text.slice(0, end),
    late: view.late.slice(0, Math.max(0, end - view.text.length)),
    reasoning: view.reasoning + had.slice(end)
  };
}

/** What a call has only as long as it is said with it. */
const NOT_SAID = { approval: undefined, waits_for: undefined, progress: undefined };

/** Update a tool call, or add it behind the others. */
export function mergeTool(view: MessageView, frame: Tool): MessageView {
  const { type: _type, message_id: _id, ...call } = frame;
  const known = view.info.tools ?? [];
  const at = known.findIndex(tool => tool.call_id === call.call_id);
  const tools =
    at < 0
      ? [...known, call]
      : known.map((tool, index) =>
          // it is asked for, or waits, only as long as it is said to
          index === at ? { ...tool, ...NOT_SAID, ...call } : tool
        );
  return { ...view, info: { ...view.info, tools } };
}
