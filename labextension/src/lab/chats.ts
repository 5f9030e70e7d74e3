/** What the page knows of the server: the chats that are shown, the list of all, and the models. */
import { ServerConnection } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';

import { ChatController } from '../chat/controller';
import { OpenChats } from '../chat/openChats';
import { newId } from '../chat/ids';
import { Gather } from '../chat/sending/gathering';
import { MessageView } from '../chat/messages';
import { PageWork } from '../chat/tools/pageCalls';
import { connectWith, isOffOn } from '../stores/connect';
import { ChatHistory, ChatRoutes } from '../stores/history';
import { InstructionRoutes, instructionRoutesOf } from '../stores/instructionRoutes';
import { rememberedMarks, rememberMarks, rememberPageId, takePageId } from '../stores/memory';
import { modesOn } from '../stores/agent/modes';
import { withoutPlaceOn } from '../stores/withoutPlace';
import { Pictures } from '../stores/pictures';
import { UploadRoutes, uploadRoutesOf } from '../stores/uploadRoutes';
import { ModelChoice } from '../stores/modelChoice';
import { modelRoutesOf } from '../stores/modelRoutes';
import { routesOf } from '../stores/routes';
import { schedule } from '../stores/schedule';
import { asking } from '../stores/server';
import { SpendingRoutes, spendingRoutesOf } from '../stores/spendingRoutes';
import { StopChatSettings } from '../stores/settings';
import { McpRoutes, mcpRoutesOf } from '../stores/agent/mcpRoutes';
import { ToolRoutes, toolRoutesOf } from '../stores/agent/toolRoutes';
import { browserClock } from '../wire/clock';
import { ServerFrame } from '../wire/protocol';

export interface Chats {
  readonly openChats: OpenChats;
  readonly history: ChatHistory;
  readonly routes: ChatRoutes;
  readonly models: ModelChoice;
  readonly instructions: InstructionRoutes;
  readonly uploads: UploadRoutes;
  readonly pictures: Pictures;
  readonly spending: SpendingRoutes;
  readonly tools: ToolRoutes;
  readonly mcp: McpRoutes;
}

/** What is known only once there are views. */
export interface ChatHooks {
  /** Tell whether a chat is looked at. */
  isShown: (chatId: string) => boolean;
  /** The notebook or file that the person has open, as its path on the server. */
  place: () => string | null;
  /** What gathers what goes with a prompt besides what is attached. */
  gather: Gather;
  /** What tools may have this page do. */
  work: PageWork;
  /** Called with each frame of the server, after the chats have received it. */
  onFrame: (frame: ServerFrame) => void;
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
  const tools = toolRoutesOf(ask);
  const pageId = takePageId(server.baseUrl) ?? newId();
  const openChats = new OpenChats({
    clock: browserClock,
    connect: () => connectWith(server),
    isOff: () => isOffOn(server),
    makeId: newId,
    settings: settings.getSnapshot,
    picked: models,
    place: hooks.place,
    gather: hooks.gather,
    withoutPlace: withoutPlaceOn(server.baseUrl),
    modes: modesOn(server.baseUrl),
    tools: { work: hooks.work, post: (call, answer) => tools.answer(call, answer) },
    pageId,
    hasFocus: () => document.hasFocus(),
    words: {
      notConnected: trans.__('there is no connection to the server.'),
      noAnswer: trans.__('the server did not answer.'),
      notReached: trans.__(
        'the Jupyter server that makes this reply has not answered yet. The stop is left for it.'
      ),
      promptTooLong: trans.__(
        'The prompt is too long: it may have %1 characters, and %2 KiB with what is attached. Shorten it and send it again.'
      ),
      notGathered: trans.__('What the prompt names could not be read. Nothing was sent.'),
      changedMeanwhile: trans.__(
        'The prompt was changed while what it names was read. Nothing was sent: send it again.'
      ),
      sendAsIs: trans.__('Send as it is'),
      commandFailed: trans.__('The command %1 failed.'),
      stillUploading: trans.__(
        'What is attached is still on its way to the server. Send the prompt once it is there.'
      )
    },
    nextFrame: schedule,
    onFrame: frame => {
      history.receive(frame);
      models.receive(frame);
      hooks.onFrame(frame);
    },
    onEnd: hooks.onEnd
  });
  const routes = routesOf(ask);
  const history = new ChatHistory({
    routes,
    isShown: hooks.isShown,
    marks: rememberedMarks(server.baseUrl),
    rememberMarks: marks => rememberMarks(server.baseUrl, marks)
  });
  const uploads = uploadRoutesOf(ask);
  const pictures = new Pictures({
    fetch: digest => uploads.shown(digest),
    makeUrl: picture => URL.createObjectURL(picture),
    revokeUrl: url => URL.revokeObjectURL(url),
    after: (ms, what) => void setTimeout(what, ms)
  });
  const [instructions, spending] = [instructionRoutesOf(ask), spendingRoutesOf(ask)];
  window.addEventListener('focus', () => openChats.tellFocus());
  window.addEventListener('pagehide', () => rememberPageId(server.baseUrl, pageId));
  const mcp = mcpRoutesOf(ask);
  return { openChats, history, routes, models, instructions, spending, uploads, pictures, tools, mcp };
}
