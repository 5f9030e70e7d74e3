/** How much of what a model takes at once the next prompt would fill. */
import { tokensSeen } from './attachments';
import { MessageView } from './messages';
import { isTerminal } from '../wire/guards';
import { Attachment } from '../wire/protocol';

/** Characters a token, where nobody counted: as on the server. */
const CHARACTERS_PER_TOKEN = 4;
/** From here on it is nearly full; the server leaves out older messages from 0.8 on. */
const NEARLY = 0.65;
const FULL = 0.8;

export interface ContextUse {
  /** What the next prompt would send, in tokens. */
  readonly tokens: number;
  /** What the model takes at once; null where nobody knows. */
  readonly most: number | null;
  /** Tokens of that, in per cent, at most 100; null likewise. */
  readonly percent: number | null;
  readonly level: 'room' | 'nearly' | 'full';
  /** The first message that the model was told last, where older ones were left out. */
  readonly toldFrom: MessageView | null;
}

interface Draft {
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

/** What goes with the next prompt besides the draft. */
export interface Besides {
  /** Where the person is, as it is told. */
  readonly place: Attachment | null;
  /** The length of the instructions: what was counted once holds for them as well. */
  readonly instructions: number;
}

const NOTHING: Besides = { place: null, instructions: 0 };

/**
 * Tell how full a model would be with the next prompt.
 *
 * What the provider counted for the last reply holds for all before it, and what has been added
 * since is estimated. Where an agent asked several times, its count says nothing of one request.
 */
export function contextUse(
  shown: readonly MessageView[],
  draft: Draft,
  most: number | null | undefined,
  besides: Besides = NOTHING
): ContextUse {
  const at = countedAt(shown);
  const {
    input_tokens: read = 0,
    output_tokens: made = 0,
    reasoning_tokens: thought = 0
  } = shown[at]?.info.usage ?? {};
  const rest = shown.slice(at + 1).reduce((sum, view) => sum + lengthOf(view), 0);
  const told = attached(besides.place ? [besides.place] : []) + (at < 0 ? besides.instructions : 0);
  const drafted = draft.text.length + attached(draft.attachments) + told;
  const tokens = read + made - thought + Math.round((rest + drafted) / CHARACTERS_PER_TOKEN);
  const share = most ? tokens / most : null;
  const from = sentFrom(shown);
  return {
    tokens,
    most: most || null,
    percent: share === null ? null : Math.min(100, Math.round(share * 100)),
    level: share === null || share < NEARLY ? 'room' : share < FULL ? 'nearly' : 'full',
    toldFrom: shown.find(view => view.id === from) ?? null
  };
}

/** Where the last reply is that its provider has counted; -1 where none was. */
export function countedAt(shown: readonly MessageView[]): number {
  return shown.map(isCounted).lastIndexOf(true);
}

/** The first message that the newest reply's model was given; null when that was all of them. */
export function sentFrom(shown: readonly MessageView[]): string | null {
  const counted = [...shown].reverse().find(view => view.info.usage !== undefined);
  return counted?.info.usage?.sent_from ?? null;
}

function isCounted({ role, info }: MessageView): boolean {
  const { input_tokens: read, output_tokens: made } = info.usage ?? {};
  const told = read !== undefined && made !== undefined;
  return role === 'assistant' && isTerminal(info.state) && told && info.tools.length === 0;
}

/** The length of a message as a model is told it: what is not here yet counts as well. */
function lengthOf({ text, info }: MessageView): number {
  const left = (info.left_out ?? []).filter(one => one.part === 'attachment');
  const length = Math.max(text.length, info.text_length);
  return length + attached(info.attachments) + left.reduce((sum, one) => sum + one.length, 0);
}

/** The length of what goes with a prompt; a picture has that of as many tokens as it takes. */
function attached(attachments: readonly Attachment[]): number {
  const words = attachments.reduce((sum, one) => sum + one.name.length + one.text.length, 0);
  return words + tokensSeen(attachments) * CHARACTERS_PER_TOKEN;
}
