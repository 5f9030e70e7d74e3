/** The chats in which the person does not tell where they are, over a reload. */
import { WithoutPlace } from '../chat/options';
import { ShownChat } from '../chat/shownChat';
import {
  isNewWithoutPlace,
  rememberedWithoutPlace,
  rememberNewWithoutPlace,
  rememberWithoutPlace,
  withoutPlaceKey
} from './memory';

/** @param scope the server that the chats are on. */
export function withoutPlaceOn(scope: string): WithoutPlace {
  return {
    has: chatId => rememberedWithoutPlace(scope).includes(chatId),
    set: (chatId, without) => {
      const others = rememberedWithoutPlace(scope).filter(id => id !== chatId);
      rememberWithoutPlace(scope, without ? [...others, chatId] : others);
    },
    // it is told to the other tabs alone
    subscribe: listener =>
      window.addEventListener('storage', ({ key }) => {
        if (key === withoutPlaceKey(scope)) {
          listener();
        }
      })
  };
}

/** By what a tab comes back: its chat, and of a new one whether the person tells where they are. */
export type TabArgs = { chatId: string | null; withoutPlace?: boolean };

export function tabArgs(shown: ShownChat): TabArgs {
  const { chatId } = shown.controller;
  return isNewWithout(shown) ? { chatId, withoutPlace: true } : { chatId };
}

/** Tell whether a view shows a new chat, which has no id yet, in which that is not told. */
function isNewWithout({ controller }: ShownChat): boolean {
  return controller.isBlank && controller.getSnapshot().withoutPlace;
}

/** Keep it of the new chat that the sidebar shows; a tab's is kept with the layout. */
export function keepOfNew(scope: string, shown: ShownChat): void {
  if (shown.controller.isBlank && isNewWithoutPlace(scope)) {
    shown.controller.perChat.tellPlace(false);
  }
  let before: boolean | null = null;
  shown.subscribe(() => {
    const without = isNewWithout(shown);
    if (without !== before) {
      before = without;
      rememberNewWithoutPlace(scope, without);
    }
  });
}
