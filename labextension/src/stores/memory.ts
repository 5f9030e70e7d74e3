/** What this browser remembers: the chat of a tab over a reload, and which chats have news. */
import { Mark } from './history';

const CHAT = 'jupyter-stop-chat:chat';
const OPEN = 'jupyter-stop-chat:open';
const MARKS = 'jupyter-stop-chat:marks';
const WIDENED = 'jupyter-stop-chat:widened';

export function rememberedChat(scope: string): string | null {
  return read(() => sessionStorage, `${CHAT}:${scope}`);
}

export function rememberChat(scope: string, chatId: string | null): void {
  write(() => sessionStorage, `${CHAT}:${scope}`, chatId);
}

export function wasOpen(scope: string): boolean {
  return read(() => sessionStorage, `${OPEN}:${scope}`) === 'yes';
}

export function rememberOpen(scope: string, isOpen: boolean): void {
  write(() => sessionStorage, `${OPEN}:${scope}`, isOpen ? 'yes' : null);
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

function read(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null; // storage is blocked
  }
}

function write(storage: () => Storage, key: string, value: string | null): void {
  try {
    if (value) {
      storage().setItem(key, value);
    } else {
      storage().removeItem(key);
    }
  } catch {
    // storage is blocked: a reload then begins anew
  }
}
