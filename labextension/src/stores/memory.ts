/** What this browser remembers: the chat of a tab over a reload, and which chats have news. */
import { Mark } from './history';
import { read, readList, write, writeList } from './storage';
import { Attachment } from '../wire/protocol';

const CHAT = 'jupyter-stop-chat:chat';
const DRAFT = 'jupyter-stop-chat:draft';
const OPEN = 'jupyter-stop-chat:open';
const MARKS = 'jupyter-stop-chat:marks';
const WITHOUT_PLACE = 'jupyter-stop-chat:without-place';
/** So many of these chats are remembered. */
const MOST_WITHOUT_PLACE = 500;
const PAGE = 'jupyter-stop-chat:page';
const AGENT_TOLD = 'jupyter-stop-chat:agent-told';
const WIDENED = 'jupyter-stop-chat:widened';

export function rememberedChat(scope: string): string | null {
  return read(() => sessionStorage, `${CHAT}:${scope}`);
}

export function rememberChat(scope: string, chatId: string | null): void {
  write(() => sessionStorage, `${CHAT}:${scope}`, chatId);
}

/** A draft whose files were still on their way, which a reload would take with it. */
export interface RememberedDraft {
  readonly text: string;
  readonly attachments: readonly Attachment[];
  /** The names of those files. */
  readonly lacks: readonly string[];
}

export function rememberDraft(scope: string, draft: RememberedDraft | null): void {
  write(() => sessionStorage, `${DRAFT}:${scope}`, draft && JSON.stringify(draft));
}

/** Return the draft that a reload broke off, once. */
export function takeDraft(scope: string): RememberedDraft | null {
  const written = read(() => sessionStorage, `${DRAFT}:${scope}`);
  rememberDraft(scope, null);
  try {
    const draft = JSON.parse(written ?? 'null') as Partial<RememberedDraft> | null;
    const { text, attachments, lacks } = draft ?? {};
    const isDraft = typeof text === 'string' && Array.isArray(attachments) && Array.isArray(lacks);
    return isDraft ? { text, attachments, lacks: lacks.map(String) } : null;
  } catch {
    return null;
  }
}

export function wasOpen(scope: string): boolean {
  return read(() => sessionStorage, `${OPEN}:${scope}`) === 'yes';
}

export function rememberOpen(scope: string, isOpen: boolean): void {
  write(() => sessionStorage, `${OPEN}:${scope}`, isOpen ? 'yes' : null);
}

/** Where in the storage of all tabs the chats are kept in which the person does not tell where they are. */
export const withoutPlaceKey = (scope: string): string => `${WITHOUT_PLACE}:${scope}`;

/** The chats in which the person does not tell where they are, the newest last. */
export function rememberedWithoutPlace(scope: string): string[] {
  const ids = readList(() => localStorage, withoutPlaceKey(scope));
  return ids.filter((id): id is string => typeof id === 'string');
}

export function rememberWithoutPlace(scope: string, chatIds: readonly string[]): void {
  const newest = chatIds.slice(-MOST_WITHOUT_PLACE);
  writeList(() => localStorage, withoutPlaceKey(scope), newest);
}

/** Tell the same of the new chat that this tab shows, which has no id yet. */
export function isNewWithoutPlace(scope: string): boolean {
  return read(() => sessionStorage, `${WITHOUT_PLACE}:new:${scope}`) !== null;
}

export function rememberNewWithoutPlace(scope: string, without: boolean): void {
  write(() => sessionStorage, `${WITHOUT_PLACE}:new:${scope}`, without ? 'true' : null);
}

export function rememberedMarks(scope: string): Record<string, Mark> {
  try {
    const marks: unknown = JSON.parse(read(() => localStorage, `${MARKS}:${scope}`) ?? '{}');
    return marks !== null && typeof marks === 'object' ? { ...(marks as Record<string, Mark>) } : {};
  } catch {
    return {};
  }
}

export function rememberMarks(scope: string, marks: Readonly<Record<string, Mark>>): void {
  write(() => localStorage, `${MARKS}:${scope}`, JSON.stringify(marks));
}

/** Tell whether the sidebar was made wide enough for a chat once. */
export function wasWidened(scope: string): boolean {
  return read(() => localStorage, `${WIDENED}:${scope}`) !== null;
}

export function rememberWidened(scope: string): void {
  write(() => localStorage, `${WIDENED}:${scope}`, 'true');
}

/** Tell whether it was said in this browser what an agent may do. */
export function wasAgentTold(scope: string): boolean {
  return read(() => localStorage, `${AGENT_TOLD}:${scope}`) !== null;
}

export function rememberAgentTold(scope: string): void {
  write(() => localStorage, `${AGENT_TOLD}:${scope}`, 'true');
}

/** Return the name that this tab's page had before a reload, once: a copy of the tab has none. */
export function takePageId(scope: string): string | null {
  const id = read(() => sessionStorage, `${PAGE}:${scope}`);
  rememberPageId(scope, null);
  return id;
}

export function rememberPageId(scope: string, id: string | null): void {
  write(() => sessionStorage, `${PAGE}:${scope}`, id);
}
