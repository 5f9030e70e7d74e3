/** What puts together what goes with a prompt: where the person is, and what the prompt names. */
import { ICellModel, ICodeCellModel } from '@jupyterlab/cells';
import { PathExt } from '@jupyterlab/coreutils';
import { NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';

import {
  Cell,
  cellText,
  fenced,
  headAndTail,
  largestFor,
  notebookText,
  outputsText,
  refuses,
  Room
} from '../../chat/attachments';
import { contextName, FILE, Mention, mentionsIn, Name, originOf, PLACE } from '../../chat/place/mentions';
import { lastFailed } from '../../chat/place/place';
import { contextWithin, MOST_PLACE, NotGathered, Occasion, withoutOrigins } from '../../chat/sending/gathering';
import { Attachment } from '../../wire/protocol';
import { NamedFiles } from './files';
import { languageOf, Place, PlaceReader } from './place';
import { variablesOf } from './variables';

export interface GathererOptions {
  place: Place;
  files: NamedFiles;
  trans: TranslationBundle;
  /** How many tokens the model takes that the next prompt goes to; undefined where unknown. */
  tokens: () => number | undefined;
  /** The person has set that prompts tell where they are. */
  tellsPlace: () => boolean;
}

export class Gatherer {
  constructor(private _options: GathererOptions) {}

  /** Gather what goes with a prompt; at once where it names nothing. */
  readonly gather = (occasion: Occasion): readonly Attachment[] | Promise<readonly Attachment[]> => {
    const named = occasion.wordsOnly ? [] : mentionsIn(occasion.draft.text);
    const place = this._options.place.look();
    if (named.length === 0) {
      return this._withPlace(occasion, occasion.draft.attachments, place);
    }
    // all is looked at now: while one is waited for, the person may go elsewhere
    place?.(MOST_PLACE);
    return this._all(occasion, named.map(one => this._find(one, occasion)), place);
  };

  /** Return where the person is, as a prompt would tell it now; null where there is no room. */
  preview(occasion: Pick<Occasion, 'draft' | 'limits'>): Attachment | null {
    const place = this._options.place.look();
    return place && this._place(occasion, withoutOrigins(occasion.draft.attachments, [PLACE]), place);
  }

  private async _all(
    occasion: Occasion,
    named: readonly Promise<Attachment>[],
    place: PlaceReader | null
  ): Promise<readonly Attachment[]> {
    let all = occasion.draft.attachments;
    for (const one of await Promise.all(named)) {
      const others = withoutOrigins(all, [originOf(one.name)]);
      all = [...others, this._fitted(occasion, others, one)];
    }
    return this._withPlace(occasion, all, place);
  }

  /** Add where the person is; what a stop brought back of it is told anew, or not at all. */
  private _withPlace(
    occasion: Occasion,
    all: readonly Attachment[],
    place: PlaceReader | null
  ): readonly Attachment[] {
    const tells = this._options.tellsPlace() && !occasion.withoutPlace;
    if (!tells || !place) {
      return all;
    }
    const others = withoutOrigins(all, [PLACE]);
    const told = this._place(occasion, others, place);
    return told ? [...others, told] : others;
  }

  private _place(
    { draft, limits }: Pick<Occasion, 'draft' | 'limits'>,
    others: readonly Attachment[],
    place: PlaceReader
  ): Attachment | null {
    return contextWithin(limits, this._room(draft.text, others), place);
  }

  private _room(text: string, attachments: readonly Attachment[]): Room {
    return { text, attachments, tokens: this._options.tokens() };
  }

  /** Shorten what is named to the room that there is. */
  private _fitted(
    { draft, limits }: Occasion,
    others: readonly Attachment[],
    one: Attachment
  ): Attachment {
    const { trans } = this._options;
    const room = this._room(draft.text, others);
    let fits = one;
    let why = refuses(limits, room, one);
    if (why === 'too_large' || why === 'too_long') {
      const name = `${one.name} ${trans.__('(beginning and end)')}`;
      const note = trans.__('[The middle is left out.]');
      fits = headAndTail(limits, room, { ...one, name }, note);
      why = refuses(limits, room, fits);
    }
    if (why === 'too_many') {
      const told = trans.__('A prompt can have %1 attachments, with what it names.', limits.max_attachments);
      throw new NotGathered(told);
    }
    if (why !== null) {
      throw new NotGathered(
        trans.__(
          '“%1” is too long for the model: a prompt and all that goes with it can have about %2 kB.',
          one.name,
          room.tokens === undefined ? Math.floor(limits.max_frame_bytes / 1024) : largestFor(room.tokens)
        )
      );
    }
    return fits;
  }

  private async _find(mention: Mention, occasion: Occasion): Promise<Attachment> {
    if (mention.name === 'file') {
      const { path } = mention;
      const read = await this._options.files.read(path, occasion);
      return { ...read, name: contextName(`@${FILE}`, path), kind: 'context' };
    }
    const [about, text] = await this._named(mention.name, occasion.signal);
    const name = contextName(`@${mention.name} – `, about);
    return { name, text, mime_type: 'text/markdown', kind: 'context' };
  }

  /** Find what a name stands for: what it is, for the person, and its text. */
  private async _named(name: Name, signal: AbortSignal): Promise<[string, string]> {
    const { place, trans } = this._options;
    const lacks = (sentence: string): NotGathered => new NotGathered(sentence);
    if (name === 'selection') {
      const { selection } = place;
      if (!selection) {
        throw lacks(trans.__('Nothing is selected, so there is nothing for “@selection”.'));
      }
      return [place.label(), fenced(selection)];
    }
    const panel = place.lastNotebook;
    if (!panel) {
      throw lacks(trans.__('No notebook is open, so there is nothing for “@%1”.', name));
    }
    const file = PathExt.basename(panel.context.path);
    const at = panel.content.activeCellIndex;
    switch (name) {
      case 'cell':
      case 'output': {
        const cell = cellAt(panel, at);
        const text = name === 'cell' ? cellText(cell, languageOf(panel) || 'text') : outputsText(cell);
        if (text.trim() === '') {
          throw lacks(
            name === 'cell'
              ? trans.__('The active cell is empty, so there is nothing for “@cell”.')
              : trans.__('The active cell has no output in words, so there is nothing for “@output”.')
          );
        }
        return [trans.__('cell %1 of %2', at + 1, file), text];
      }
      case 'error': {
        const failed = lastFailed([...(panel.content.model?.cells ?? [])].map(runOf));
        if (failed < 0) {
          throw lacks(trans.__('No cell of %1 has failed, so there is nothing for “@error”.', file));
        }
        return [trans.__('cell %1 of %2', failed + 1, file), cellText(cellAt(panel, failed), languageOf(panel) || 'text')];
      }
      case 'notebook':
        return [file, notebookText(panel.content.model?.toJSON()) ?? ''];
      case 'variables':
        return [file, await variablesOf(panel.sessionContext, languageOf(panel), trans, signal)];
    }
  }
}

/** Return a cell as it is now: of the others, which may have printed very much, none is written down. */
function cellAt({ content }: NotebookPanel, at: number): Cell {
  const cells = content.model?.cells;
  return at >= 0 && cells && at < cells.length ? cells.get(at).toJSON() : {};
}

/** Return what tells whether a cell failed, and when it was run. */
function runOf(cell: ICellModel): Cell {
  if (cell.type !== 'code') {
    return {};
  }
  const { outputs, executionCount } = cell as ICodeCellModel;
  const kinds = Array.from({ length: outputs.length }, (_, n) => ({ output_type: outputs.get(n).type }));
  return { execution_count: executionCount, outputs: kinds };
}
