/**
 * What goes with a prompt besides what the person attached: where they are, and what the prompt
 * names. It is put together as the prompt is sent; until it is there, the prompt stays where it is.
 */
import { Attachment, Limits } from '../../wire/protocol';
import { ASSUMED, refuses, Room } from '../attachments';
import { originOf } from '../place/mentions';
import { LEAST } from '../place/place';
import * as prompts from '../prompt';
import { Offer } from '../replies';
import { ChatState } from '../state';

/** What a prompt is gathered for. */
export interface Occasion {
  readonly draft: prompts.Prompt;
  readonly limits: Limits;
  /** The person does not want to tell where they are. */
  readonly withoutPlace: boolean;
  /** What the prompt names is to be sent as words only. */
  readonly wordsOnly: boolean;
  /** It is aborted when the person stops the sending. */
  readonly signal: AbortSignal;
}

/**
 * What gathers: it returns all that goes with the prompt, what is attached to the draft as well;
 * at once where it need not wait for anything.
 */
export type Gather = (occasion: Occasion) => readonly Attachment[] | Promise<readonly Attachment[]>;

/** What a prompt names cannot be had: the message is for the person. */
export class NotGathered extends Error {}

/** What is done with a prompt once all is there; tells whether it was sent. */
type Then = (attachments: readonly Attachment[]) => boolean;

export interface GatheringOptions {
  /** Without it, nothing is gathered. */
  gather?: Gather;
  words: { notGathered: string; changedMeanwhile: string; sendAsIs: string };
}

export class Gathering {
  constructor(
    private _state: ChatState,
    private _options: GatheringOptions
  ) {}

  /**
   * Gather, then go on; at once where nothing has to be waited for.
   *
   * @return whether the prompt was sent, or is about to be.
   */
  begin(then: Then, wordsOnly = false): boolean {
    const { prompt, welcome, withoutPlace } = this._state.now;
    const { gather } = this._options;
    const { draft } = prompt;
    if (!prompts.isSendable(prompt) || this._running) {
      return false;
    }
    if (!gather) {
      return then(draft.attachments);
    }
    const running = new AbortController();
    const { signal } = running;
    const occasion = {
      ...{ draft, withoutPlace, wordsOnly, signal },
      limits: welcome?.limits ?? ASSUMED
    };
    const asIs: Offer = {
      label: this._options.words.sendAsIs,
      accept: () => void this.begin(then, true)
    };
    let gathered: ReturnType<Gather>;
    try {
      gathered = gather(occasion);
    } catch (error) {
      this._refused(error, asIs);
      return false;
    }
    if (!(gathered instanceof Promise)) {
      return then(gathered);
    }
    this._running = running;
    this._state.set({ gathering: true });
    void this._goOn(running, gathered, draft, then, asIs);
    return true;
  }

  /** Give the sending up, if one waits; the prompt is where it was. Tell whether one did. */
  cancel(): boolean {
    const running = this._running;
    this._end();
    running?.abort();
    return running !== null;
  }

  private async _goOn(
    running: AbortController,
    gathered: Promise<readonly Attachment[]>,
    draft: prompts.Prompt,
    then: Then,
    asIs: Offer
  ): Promise<void> {
    try {
      const found = await gathered;
      if (this._running === running) {
        this._end();
        if (this._state.now.prompt.draft === draft) {
          then(found);
        } else {
          this._state.notice('not_done', this._options.words.changedMeanwhile);
        }
      }
    } catch (error) {
      if (this._running === running) {
        this._end();
        this._refused(error, asIs);
      }
    }
  }

  private _refused(error: unknown, asIs: Offer): void {
    const { notGathered } = this._options.words;
    const why = error instanceof NotGathered ? error.message : notGathered;
    this._state.notice('not_done', why, asIs);
  }

  private _end(): void {
    if (this._running) {
      this._running = null;
      this._state.set({ gathering: false });
    }
  }

  private _running: AbortController | null = null;
}

/** Leave out the contexts that come from somewhere. */
export function withoutOrigins(
  attached: readonly Attachment[],
  origins: readonly string[]
): readonly Attachment[] {
  return attached.filter(one => one.kind !== 'context' || !origins.includes(originOf(one.name)));
}

/** The longest that is told of where the person is, in UTF-16 code units. */
export const MOST_PLACE = 8000;
/** It takes so much of what a model takes at most; and with the prompt no more than this: the rest
 * is for the instructions, the chat before and the reply. */
const SHARE = 0.15;
const SHARE_WITH_PROMPT = 0.5;
const CHARACTERS_OF_TOKEN = 4;

/**
 * Make a context that has room beside a prompt; null where there is none.
 *
 * @param make makes it, of so many UTF-16 code units at most.
 */
export function contextWithin(
  limits: Limits,
  room: Room,
  make: (most: number) => Attachment | null
): Attachment | null {
  const { tokens = Infinity } = room;
  const share = { ...room, tokens: room.tokens && room.tokens * SHARE_WITH_PROMPT };
  let most = Math.min(MOST_PLACE, tokens * SHARE * CHARACTERS_OF_TOKEN);
  for (; most >= LEAST; most /= 2) {
    const one = make(most);
    const why = one && refuses(limits, share, one);
    if (why === null || why === 'too_many') {
      return why ? null : one;
    }
  }
  return null;
}
