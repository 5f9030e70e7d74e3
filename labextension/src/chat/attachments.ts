/**
 * What can go with a prompt: text with a name, and how much of it. Pure: no DOM, no JupyterLab.
 */
import { tracebackText } from './tracebacks';
import { Attachment, Limits } from '../wire/protocol';

/** What is attached already, beside the prompt's own words. */
export interface Room {
  readonly text: string;
  readonly attachments: readonly Attachment[];
  /** How many tokens the model takes; undefined where nobody knows. */
  readonly tokens?: number;
}

/** What a file can be besides text: by its type, or the end of its name. */
export type Kind = 'picture' | 'document' | 'text';

const PICTURES = /^image\/(?:png|jpeg|webp|gif)$/;
const PICTURE_NAMES = /\.(?:png|jpe?g|webp|gif)$/i;
const DOCUMENT_NAMES = /\.(?:pdf|docx|pptx|xlsx)$/i;
/** So many pixels of a picture are one token, as the server estimates. */
const PIXELS_OF_TOKEN = 750;

/** Tell what a file is. */
export function kindOf(name: string, type = ''): Kind {
  if (PICTURES.test(type) || PICTURE_NAMES.test(name)) {
    return 'picture';
  }
  return DOCUMENT_NAMES.test(name) ? 'document' : 'text';
}

/** Tell whether an attachment is a picture. */
export function isPicture(one: Attachment): boolean {
  return typeof one.blob === 'string';
}

/** Tell whether a picture goes with a prompt: it says something without words. */
export function hasPicture(attachments: readonly Attachment[] = []): boolean {
  return attachments.some(isPicture);
}

/** Estimate the tokens of pictures. */
export function tokensSeen(attachments: readonly Attachment[]): number {
  return attachments
    .filter(isPicture)
    .reduce((sum, one) => sum + ((one.width ?? 1) * (one.height ?? 1)) / PIXELS_OF_TOKEN, 0);
}

/** `too_long`: too much for the model; `too_large`: too much for what is sent. */
export type Refusal = 'too_many' | 'too_large' | 'too_long';

/** What is allowed, until the server has said it. */
export const ASSUMED: Limits = {
  max_frame_bytes: 1024 * 1024,
  max_attachments: 20,
  max_upload_bytes: 32 * 1024 * 1024,
  max_prompt_length: 50_000,
  max_reply_length: 1_000_000
};

/** What a `send` frame needs besides the words and the attachments, in bytes, with some to spare. */
const FRAME = 1000;
/** The longest name that the server takes, in UTF-16 code units. */
const MAX_NAME = 300;
/** So much of a text that is too large is attached, in UTF-16 code units; and no less than this. */
const MOST_SHORTENED = 40_000;
const LEAST_SHORTENED = 1000;
/** Tokens are estimated, so this much of what a model takes is used; and so many bytes are one. */
const USED = 0.8;
const BYTES_OF_TOKEN = 4;
/** So much of one output of a cell is attached, in UTF-16 code units. */
const MAX_OUTPUT = 2000;

/** Count the bytes that a value takes in a frame. */
export function bytesOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

/** Tell why one more attachment cannot go with a prompt; null if it can. */
export function refuses(limits: Limits, room: Room, one: Attachment): Refusal | null {
  if (room.attachments.length >= limits.max_attachments) {
    return 'too_many';
  }
  const all = { body: room.text, attachments: [...room.attachments, one] };
  const bytes = bytesOf(all);
  if (bytes + FRAME > limits.max_frame_bytes) {
    return 'too_large';
  }
  const tokens = bytes / BYTES_OF_TOKEN + tokensSeen(all.attachments);
  return room.tokens !== undefined && tokens > room.tokens * USED ? 'too_long' : null;
}

/** Tell how much a model takes, in kB of text. */
export function largestFor(tokens: number): number {
  return Math.floor((tokens * USED * BYTES_OF_TOKEN) / 1024);
}

/**
 * Keep the beginning and the end of a text, as much as goes with a prompt.
 *
 * @param note is put in the place of what is left out.
 */
export function headAndTail(limits: Limits, room: Room, one: Attachment, note: string): Attachment {
  let shorter = one;
  for (let most = MOST_SHORTENED; most >= LEAST_SHORTENED; most /= 2) {
    const half = Math.floor(Math.min(most, one.text.length) / 2);
    const head = one.text.slice(0, half).replace(/[\ud800-\udbff]$/, '');
    const tail = one.text.slice(-half).replace(/^[\udc00-\udfff]/, '');
    shorter = { ...one, text: `${head}\n\n${note}\n\n${tail}` };
    const why = refuses(limits, room, shorter);
    if (why !== 'too_large' && why !== 'too_long') {
      break;
    }
  }
  return shorter;
}

/**
 * Find the places that attachments have among all that go with a prompt; those that are not there
 * any more have none. The text of one may be on the server only.
 */
export function placesOf(kept: readonly Attachment[], all: readonly Attachment[]): number[] {
  const places: number[] = [];
  for (const one of kept) {
    const at = all.findIndex(
      ({ name, text, blob }, place) =>
        place > (places.at(-1) ?? -1) &&
        name === one.name &&
        (blob ?? null) === (one.blob ?? null) &&
        (text === one.text || text === '' || one.text === '')
    );
    places.push(...(at < 0 ? [] : [at]));
  }
  return places;
}

/** Shorten the name of an attachment to what is allowed, at its beginning: its end tells more. */
export function nameOf(name: string): string {
  return name.length > MAX_NAME ? `…${name.slice(1 - MAX_NAME)}` : name || 'text';
}

/** Read bytes as text; null if they are none. */
export function textOf(bytes: ArrayBuffer): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}

interface Output {
  output_type?: string;
  text?: string | string[];
  data?: Record<string, unknown>;
  ename?: string;
  evalue?: string;
  traceback?: string[];
}

export interface Cell {
  cell_type?: string;
  source?: string | string[];
  execution_count?: number | null;
  outputs?: Output[];
}

const joined = (text: unknown): string =>
  Array.isArray(text) ? text.join('') : typeof text === 'string' ? text : '';

/** Write a cell down as Markdown: its code in a fence, and what it printed below. */
export function cellText(cell: Cell, language = 'python'): string {
  const source = joined(cell.source);
  if (cell.cell_type !== 'code') {
    return source;
  }
  if (source.trim() === '') {
    return '';
  }
  return [fenced(source, language), outputsText(cell)].filter(Boolean).join('\n\n');
}

/** Write down what a cell printed; nothing if it printed no words. */
export function outputsText(cell: Cell): string {
  return (cell.outputs ?? [])
    .map(outputText)
    .filter(Boolean)
    .map(text => `Output:\n${fenced(text)}`)
    .join('\n\n');
}

/** Put words into a fence that nothing in them ends. */
export function fenced(text: string, language = ''): string {
  const longest = Math.max(2, ...(text.match(/`{3,}/g) ?? []).map(run => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** A picture that a cell showed. */
export interface Shown {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** What pictures of cells are written down as. */
const PICTURED = ['image/png', 'image/jpeg'];
/** So much of one tells that it is a picture, and how long that may be with ends of lines. */
const BASE64 = /^(?:[\w+/]\s*){4,}(?:=\s*)*$/;
const TELLING = 400;

/** Tell whether an output is a picture; its bytes are not read for that, there may be 10 MB of them. */
function isDrawn({ data = {} }: Output): boolean {
  return PICTURED.some(type => BASE64.test(joined(data[type]).slice(0, TELLING)));
}

/** Return the pictures that a cell showed, in their order; a drawing in SVG is none. */
export function outputPictures(cell: Cell): Shown[] {
  return (cell.outputs ?? []).flatMap(output => {
    for (const type of PICTURED) {
      const written = joined(output.data?.[type]).replace(/\s+/g, '');
      const bytes = written === '' ? null : bytesIn(written);
      if (bytes) {
        return [{ type, bytes }];
      }
    }
    return [];
  });
}

/** Read what is written as base64; null if it is not. */
function bytesIn(written: string): Uint8Array | null {
  try {
    const letters = atob(written);
    const bytes = new Uint8Array(letters.length);
    for (let at = 0; at < bytes.length; at += 1) {
      bytes[at] = letters.charCodeAt(at);
    }
    return bytes;
  } catch {
    return null;
  }
}

/** Find the cell that failed: the active one, else the one that was run last; -1 if it did not. */
export function failedCell(cells: readonly Cell[], active: number): number {
  const fails = (cell?: Cell): boolean =>
    cell?.outputs?.some(output => output.output_type === 'error') ?? false;
  const counts = cells.map(cell => cell.execution_count ?? 0);
  const last = counts.indexOf(Math.max(0, ...counts));
  return [active, last].find(at => fails(cells[at])) ?? -1;
}

function outputText(output: Output): string {
  if (output.output_type === 'error') {
    return tracebackText(output, MAX_OUTPUT);
  }
  // no HTML: a model is told in words. What a picture is called in words says nothing of it.
  const text = isDrawn(output) ? '' : joined(output.text ?? output.data?.['text/plain']).trimEnd();
  return text.length > MAX_OUTPUT ? `${text.slice(0, MAX_OUTPUT)}…` : text;
}

/** Write a notebook down as Markdown; null if it is none. */
export function notebookText(notebook: unknown): string | null {
  if (notebook === null || typeof notebook !== 'object') {
    return null;
  }
  const { cells, metadata } = notebook as {
    cells?: Cell[];
    metadata?: { language_info?: { name?: string }; kernelspec?: { language?: string } };
  };
  if (!Array.isArray(cells)) {
    return null;
  }
  const language = metadata?.language_info?.name ?? metadata?.kernelspec?.language ?? 'python';
  return cells
    .map(cell => cellText(cell, language))
    .filter(text => text.trim() !== '')
    .join('\n\n');
}
