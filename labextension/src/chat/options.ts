/** What a chat needs of the page that it is in. */
import { MessageView } from './messages';
import { Gather } from './sending/gathering';
import { PickedModel } from './sending/sending';
import { Mode, Modes } from './tools/mode';
import { Clock } from '../wire/clock';
import { Welcome } from '../wire/protocol';
import { ChatSocket } from '../wire/socket';

/** What the person has set. */
export interface ChatSettings {
  readonly onStop: 'keep' | 'discard';
  /** What a second prompt does; null leaves it to the server's setting. */
  readonly policy: 'queue' | 'interrupt' | 'reject' | null;
  /** The prompt comes back into the input at Stop. */
  readonly restorePrompt: boolean;
  /** Whether models may use tools, in chats for which nothing else was chosen. */
  readonly mode: Mode;
}

/** The sentences that are made on this side. */
export interface Words {
  readonly notConnected: string;
  readonly noAnswer: string;
  /** The server that makes a reply did not answer the one that was asked to stop it. */
  readonly notReached: string;
  readonly promptTooLong: string;
  /** Something that a prompt names could not be read. */
  readonly notGathered: string;
  /** The prompt was changed while what it names was read. */
  readonly changedMeanwhile: string;
  readonly sendAsIs: string;
  readonly commandFailed: string;
  /** A file is still on its way to the server. */
  readonly stillUploading: string;
}

/** The chats in which the person does not tell where they are. */
export interface WithoutPlace {
  has(chatId: string): boolean;
  set(chatId: string, without: boolean): void;
  /** Call a listener when another tab of the browser has changed it. */
  subscribe?(listener: () => void): void;
}

export interface ControllerOptions {
  /** The chat to show; null for a new one. */
  chatId: string | null;
  socket: ChatSocket;
  welcome: Welcome | null;
  lost: boolean;
  off: boolean;
  clock: Clock;
  makeId: () => string;
  settings: () => ChatSettings;
  /** The model that the person picked; without it, the server chooses. */
  picked?: PickedModel;
  /** The notebook or file that the person has open, as its path on the server. */
  place?: () => string | null;
  /** What gathers what goes with a prompt besides what is attached. */
  gather?: Gather;
  withoutPlace?: WithoutPlace;
  modes?: Modes;
  words: Words;
  /** Call once, at the next animation frame: many deltas make one change of the page. */
  nextFrame: (what: () => void, ms: number) => void;
  /** Called with each reply that was being made here and has ended. */
  onEnd?: (reply: MessageView) => void;
}
