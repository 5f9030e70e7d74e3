/** The HTTP routes of instructions: the person's, a chat's, and those that were sent. */
import { Ask } from './server';

/** The longest instructions, in characters. */
export const LONGEST = 16_000;

/** How long to wait for an answer, in milliseconds. */
const PATIENCE = 30_000;

/** The instructions and the prompt that a reply was made with, as they were sent. */
export interface Sent {
  readonly texts: readonly string[];
  /** Not all of them could be kept. */
  readonly incomplete: boolean;
  /** The prompt, with all that went with it, as one text; where there was one. */
  readonly prompt?: string | null;
}

export interface InstructionRoutes {
  own(): Promise<string>;
  setOwn(text: string): Promise<void>;
  ofChat(chatId: string): Promise<string>;
  setOfChat(chatId: string, text: string): Promise<void>;
  sent(messageId: string): Promise<Sent>;
  /** Return what the next prompt would be sent with; `chatId` is null for a new chat. */
  next(chatId: string | null, path: string | null, model: string | null): Promise<string>;
}

export function instructionRoutesOf(ask: Ask): InstructionRoutes {
  const read = async (path: readonly string[]): Promise<string> => {
    const answer = await ask(path, { patience: PATIENCE });
    return ((await answer.json()) as { text: string }).text;
  };
  const write = async (path: readonly string[], text: string): Promise<void> => {
    await ask(path, { method: 'PUT', body: { text }, patience: PATIENCE });
  };
  return {
    own: () => read(['instructions']),
    setOwn: text => write(['instructions'], text),
    ofChat: chatId => read(['chats', chatId, 'instructions']),
    setOfChat: (chatId, text) => write(['chats', chatId, 'instructions'], text),
    sent: async messageId => {
      const answer = await ask(['messages', messageId, 'instructions'], { patience: PATIENCE });
      return (await answer.json()) as Sent;
    },
    next: async (chatId, path, model) => {
      const known = Object.entries({ chat_id: chatId, path, model }).filter(([, value]) => value);
      const query = Object.fromEntries(known) as Record<string, string>;
      const answer = await ask(['instructions', 'next'], { query, patience: PATIENCE });
      return ((await answer.json()) as { text: string }).text;
    }
  };
}
