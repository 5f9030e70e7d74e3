/** What the page knows of the server: the chats that are shown, the list of all, and the models. */
import { ServerConnection } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';

import { ChatController } from '../chat/controller';
import { OpenChats } from '../chat/openChats';
import { newId } from '../chat/ids';
import { MessageView } from '../chat/messages';
import { connectWith, isOffOn } from '../stores/connect';
import { ChatHistory } from '../stores/history';
import { rememberedMarks, rememberMarks } from '../stores/memory';
import { ModelChoice } from '../stores/modelChoice';
import { modelRoutesOf } from '../stores/modelRoutes';
import { routesOf } from '../stores/routes';
import { schedule } from '../stores/schedule';
import { asking } from '../stores/server';
import { StopChatSettings } from '../stores/settings';
import { browserClock } from '../wire/clock';

export interface Chats {
  readonly openChats: OpenChats;
  readonly history: ChatHistory;
  readonly models: ModelChoice;
}

/** What is known only once there are views. */
export interface ChatHooks {
  /** Tell whether a chat is looked at. */
  isShown: (chatId: string) => boolean;
  /** Called with each reply that was being made here and has ended. */
  onEnd: (reply: MessageView, controller: ChatController) => void;
}

/** Make the chats, their list and the models of a server; nothing is connected yet. */
export function makeChats(
  server: ServerConnection.ISettings,
  settings: StopChatSettings,
  trans: TranslationBundle,
  hooks: ChatHooks
): Chats {
  const ask = asking(server, trans.__('The server did not answer. Try again.'));
  const models = new ModelChoice({
    routes: modelRoutesOf(ask),
    clock: browserClock
  });
  const openChats = new OpenChats({
    clock: browserClock,
    connect: () => connectWith(server),
    isOff: () => isOffOn(server),
    makeId: newId,
    settings: settings.getSnapshot,
    picked: models,
    words: {
      notConnected: trans.__('there is no connection to the server.'),
      noAnswer: trans.__('the server did not answer.'),
      promptTooLong: trans.__(
        'The prompt is too long: it may have %1 characters, and %2 KiB with what is attached. Shorten it and send it again.'
      )
    },
    nextFrame: schedule,
    onFrame: frame => {
      history.receive(frame);
      models.receive(frame);
    },
    onEnd: hooks.onEnd
  });
  const history = new ChatHistory({
    routes: routesOf(ask),
    isShown: hooks.isShown,
    marks: rememberedMarks(server.baseUrl),
    rememberMarks: marks => rememberMarks(server.baseUrl, marks)
  });
  return { openChats, history, models };
}
