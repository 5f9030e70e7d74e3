/** The HTTP routes of the chats. */
import { ChatPage, ChatRoutes, searchable } from './history';
import { Ask, RouteRequest } from './server';
import { Chat } from '../wire/protocol';

/** How long to wait for an answer, in milliseconds. */
const PATIENCE = 120_000;

export function routesOf(ask: Ask): ChatRoutes {
  const askChats = (path: readonly string[], request: RouteRequest = {}): Promise<Response> =>
    ask(['chats', ...path], { ...request, patience: PATIENCE });
  return {
    list: async ({ limit, before, query }) => {
      const asked = {
        limit: String(limit),
        ...(before ? { before } : {}),
        ...(query ? { query: searchable(query) } : {})
      };
      const answer = await askChats([], { query: asked });
      return (await answer.json()) as ChatPage;
    },
    add: async file => {
      const answer = await askChats([], { method: 'POST', body: file });
      return (await answer.json()) as Chat;
    },
    rename: async (chatId, title) => {
      await askChats([chatId], { method: 'PATCH', body: { title } });
    },
    remove: async chatId => {
      await askChats([chatId], { method: 'DELETE' });
    },
    download: async (chatId, format) => {
      const answer = await askChats([chatId, 'export'], { query: { format } });
      return answer.blob();
    }
  };
}
