/** In which chats models may use tools, or only answer, over a reload. */
import { readMap, writeList } from '../storage';
import { Modes } from '../../chat/tools/mode';

const MODES = 'jupyter-stop-chat:modes';
/** So many chats are remembered, those that were chosen for last. */
const MOST = 500;

/** @param scope the server that the chats are on. */
export function modesOn(scope: string): Modes {
  const key = `${MODES}:${scope}`;
  return {
    get: chatId => {
      const mode = readMap<unknown>(() => localStorage, key).get(chatId);
      return mode === 'agent' || mode === 'ask' ? mode : undefined;
    },
    set: (chatId, mode) => {
      const kept = readMap<unknown>(() => localStorage, key);
      kept.delete(chatId);
      const newest = [...kept, [chatId, mode]].slice(-MOST);
      writeList(() => localStorage, key, newest);
    }
  };
}
