/** Remember the current chat of this browser tab over a reload. */
const KEY = 'jupyter-stop-chat:chat';

export function rememberedChat(scope: string): string | null {
  try {
    return sessionStorage.getItem(`${KEY}:${scope}`);
  } catch {
    return null; // storage is blocked
  }
}

export function rememberChat(scope: string, chatId: string | null): void {
  try {
    if (chatId) {
      sessionStorage.setItem(`${KEY}:${scope}`, chatId);
    } else {
      sessionStorage.removeItem(`${KEY}:${scope}`);
    }
  } catch {
    // storage is blocked: a reload then begins with a new chat
  }
}
