/** The tree of a chat: the line through it that is shown, and the versions at each fork. */
import { MessageView } from './messages';

/** Where a message that answers nothing hangs. */
const ROOT = '';

/** Where a message stands among its versions: the `at`-th of `ids`, from 0. */
export interface Versions {
  readonly at: number;
  readonly ids: readonly string[];
}

/** The discarded messages of a chat, with the prompts that have no other reply. */
export function discarded(messages: readonly MessageView[]): Set<string> {
  const gone = new Set<string>();
  const asked = new Map<string, boolean>();
  for (const view of messages) {
    if (view.role !== 'assistant') {
      continue;
    }
    const isGone = view.info.stop?.discarded === true;
    if (isGone) {
      gone.add(view.id);
    }
    if (view.info.reply_to) {
      asked.set(view.info.reply_to, (asked.get(view.info.reply_to) ?? true) && isGone);
    }
  }
  for (const [prompt, allGone] of asked) {
    if (allGone) {
      gone.add(prompt);
    }
  }
  return gone;
}

/**
 * One line through the tree, from its root: at each fork the chosen branch, else the one with the
 * newest message.
 */
export function line(
  messages: readonly MessageView[],
  choices: Readonly<Record<string, string>>
): readonly MessageView[] {
  const hidden = discarded(messages);
  const byId = new Map(messages.map(view => [view.id, view]));
  const parent = (view: MessageView): string =>
    view.info.reply_to && byId.has(view.info.reply_to) ? view.info.reply_to : ROOT;
  const newest = new Map<string, string>();
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    if (hidden.has(messages[index].id)) {
      continue;
    }
    const path = new Set<string>();
    let view: MessageView | undefined = messages[index];
    while (view && !path.has(view.id) && !newest.has(parent(view))) {
      path.add(view.id);
      newest.set(parent(view), view.id);
      view = byId.get(parent(view));
    }
  }
  if (!newest.has(ROOT)) {
    return messages.filter(view => !hidden.has(view.id)); // a circle: no tree at all
  }
  const shown: MessageView[] = [];
  const seen = new Set<string>();
  let at = ROOT;
  for (;;) {
    const chosen = byId.get(choices[at] ?? '');
    const isHere = chosen !== undefined && parent(chosen) === at && !hidden.has(chosen.id);
    const next = isHere ? chosen : byId.get(newest.get(at) ?? '');
    if (!next || seen.has(next.id)) {
      return shown;
    }
    seen.add(next.id);
    if (!hidden.has(next.id)) {
      shown.push(next);
    }
    at = next.id;
  }
}

/**
 * Tell whether a reply came to nothing: it failed or was stopped before its first word. One that
 * was tried again is replaced, unless the chat went on from it.
 */
function cameToNothing(view: MessageView, answered: ReadonlySet<string | undefined>): boolean {
  const { state, text_length, tools } = view.info;
  const ended = state === 'failed' || state === 'interrupted';
  const isEmpty = ended && text_length === 0 && !tools?.length;
  return view.role === 'assistant' && isEmpty && !answered.has(view.id);
}

/** The versions of each message that has several, by the message's id. */
export function versions(messages: readonly MessageView[]): Map<string, Versions> {
  const found = new Map<string, Versions>();
  if (!messages.some(view => view.info.version_of)) {
    return found;
  }
  const hidden = discarded(messages);
  const byId = new Map(messages.map(view => [view.id, view]));
  const groups = new Map<string, string[]>();
  for (const view of messages) {
    if (hidden.has(view.id)) {
      continue;
    }
    const seen = new Set<string>();
    let first = view;
    while (first.info.version_of && !seen.has(first.id)) {
      seen.add(first.id);
      const earlier = byId.get(first.info.version_of);
      if (!earlier) {
        break;
      }
      first = earlier;
    }
    groups.set(first.id, [...(groups.get(first.id) ?? []), view.id]);
  }
  const answered = new Set(messages.map(view => view.info.reply_to));
  for (const all of groups.values()) {
    const isReplaced = (id: string): boolean => {
      const view = byId.get(id);
      return id !== all[all.length - 1] && view !== undefined && cameToNothing(view, answered);
    };
    const ids = all.filter(id => !isReplaced(id));
    if (ids.length > 1) {
      ids.forEach((id, at) => found.set(id, { at, ids }));
    }
  }
  return found;
}

/** Choose a message at the fork where it hangs. */
export function choose(
  messages: readonly MessageView[],
  choices: Readonly<Record<string, string>>,
  messageId: string
): Readonly<Record<string, string>> {
  const view = messages.find(one => one.id === messageId);
  if (!view) {
    return choices;
  }
  const parent = view.info.reply_to;
  const known = parent !== undefined && messages.some(one => one.id === parent);
  return { ...choices, [known ? parent : ROOT]: messageId };
}
