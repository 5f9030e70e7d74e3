/** A page on a scripted clock, and the server of its chats at the other end of the socket. */
import { ChatController } from '../src/chat/controller';
import { ChatSettings } from '../src/chat/options';
import { Gather } from '../src/chat/sending/gathering';
import { OpenChats } from '../src/chat/openChats';
import { MessageView } from '../src/chat/messages';
import { ShownChat } from '../src/chat/shownChat';
import { Chat, Message } from '../src/wire/protocol';
import { buttonMode } from '../src/chat/selectors';
import { CHAT, FakeSocket, prompt, reply, ScriptedClock, uuid } from './support';

export let clock: ScriptedClock;
export let sockets: FakeSocket[];
export let frames: (() => void)[];
export let remembered: (string | null)[];
let settings: ChatSettings;
let place: string | null;
/** What gathers what goes with a prompt; null: nothing does. */
let gather: Gather | null;
/** The chats in which the person does not tell where they are. */
export let withoutPlace: Set<string>;
/** How often that was written down. */
export let placesWritten: number;
/** Tells that another tab has changed them. */
export let tellOtherTab: () => void;
let ids: number;
export let openChats: OpenChats;
export let shownChat: ShownChat;
/** What it shows. */
export let chat: ChatController;
export let told: number;
export let ends: MessageView[];
/** Answers whether the chat is turned off on the server. */
export let tellOff: (off: boolean) => void;
export let asked: number;

export const R1 = uuid(0x101);
export const R2 = uuid(0x102);

/** Begin anew: nothing is connected, and no chat is shown. */
export function begin(): void {
  clock = new ScriptedClock();
  sockets = [];
  frames = [];
  remembered = [];
  settings = { onStop: 'keep', policy: null, restorePrompt: true, mode: 'ask' };
  place = null;
  gather = null;
  [withoutPlace, placesWritten] = [new Set(), 0];
  ids = 0x100;
  told = 0;
  ends = [];
  asked = 0;
  openChats = new OpenChats({
    clock,
    isOff: () => {
      asked += 1;
      return new Promise(resolve => (tellOff = resolve));
    },
    connect: () => {
      sockets.push(new FakeSocket());
      return sockets[sockets.length - 1];
    },
    makeId: () => uuid((ids += 1)),
    settings: () => settings,
    place: () => place,
    gather: occasion => gather?.(occasion) ?? occasion.draft.attachments,
    withoutPlace: {
      has: id => withoutPlace.has(id),
      set: (id, without) => {
        placesWritten += 1;
        void (without ? withoutPlace.add(id) : withoutPlace.delete(id));
      },
      subscribe: listener => (tellOtherTab = listener)
    },
    words: { notConnected: 'offline', noAnswer: 'silence', notReached: 'not reached', promptTooLong: 'too long', stillUploading: 'not there yet', notGathered: 'not gathered', changedMeanwhile: 'changed', sendAsIs: 'as it is', commandFailed: '%1 failed' },
    nextFrame: what => frames.push(what),
    onEnd: reply => ends.push(reply)
  });
}

export function start(chatId: string | null): void {
  shownChat = new ShownChat(openChats, chatId, id => remembered.push(id));
  chat = shownChat.controller;
  chat.subscribe(() => (told += 1));
  openChats.connect();
}
export function show(chatId: string | null): void {
  shownChat.show(chatId);
  chat = shownChat.controller;
}
/** Change what the person has set. */
export function set(change: Partial<ChatSettings>): void {
  settings = { ...settings, ...change };
}
/** Open a notebook or a file beside the chat. */
export function lookAt(path: string | null): void {
  place = path;
}
/** Have something go with each prompt. */
export function gatherBy(what: Gather): void {
  gather = what;
}
export const meta: Chat = {
  id: CHAT,
  owner: 'me',
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  state: 'idle'
};
export const server = (): FakeSocket => sockets[sockets.length - 1];
export const now = () => chat.getSnapshot();
export const mode = () => buttonMode(now().chat);
export const draft = () => now().prompt.draft.text;
export const sent = (type: string) => server().sent.filter(frame => frame.type === type);
export const accept = (n: number, request: string, text = 'question', change: Partial<Message> = {}) =>
  server().say({
    type: 'accepted',
    request_id: request,
    chat_id: CHAT,
    user_message: prompt(n, text, n > 1 ? { reply_to: uuid(n - 1) } : {}),
    message: reply(n + 1, { reply_to: uuid(n), request_id: request, ...change })
  });
export const delta = (n: number, offset: number, text: string) =>
  server().say({ type: 'delta', message_id: uuid(n), offset, text, part: 'text' });
export const end = (n: number, state: Message['state'], text: string, change: Partial<Message> = {}) =>
  server().say({
    type: 'message',
    message: reply(n, { state, text, reply_to: uuid(n - 1), request_id: R1, ...change })
  });

export function online(): void {
  start(null);
  server().greet();
}
export function ask(text = 'question'): void {
  chat.edit(text);
  chat.send();
}
/** A reply that is being made, with some text. */
export function running(text = 'some text'): void {
  online();
  ask();
  accept(1, R1);
  delta(2, 0, text);
}
