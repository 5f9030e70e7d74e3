/**
 * What can go with a prompt: text with a name, and how much of it. Pure: no DOM, no JupyterLab.
 */
import { Attachment, Limits } from '../wire/protocol';

/** What is attached already, beside the prompt's own words. */
export interface Room {
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

export type Refusal = 'too_many' | 'too_large';

/** What is allowed, until the server has said it. */
export const ASSUMED: Limits = {
  max_frame_bytes: 1024 * 1024,
  max_attachments: 20,
  max_prompt_length: 50_000,
  max_reply_length: 1_000_000
};

/** What a `send` frame needs besides the words and the attachments, in bytes, with some to spare. */
const FRAME = 1000;
/** The longest name that the server takes, in UTF-16 code units. */
const MAX_NAME = 300;
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
  return bytesOf(all) + FRAME > limits.max_frame_bytes ? 'too_large' : null;
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
}

interface Cell {
  cell_type?: string;
  source?: string | string[];
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
  const parts = [`\`\`\`${language}\n${source}\n\`\`\``];
  for (const output of cell.outputs ?? []) {
    const text = outputText(output);
    if (text) {
      parts.push(`Output:\n\`\`\`\n${text}\n\`\`\``);
    }
  }
  return parts.join('\n\n');
}

function outputText(output: Output): string {
  if (output.output_type === 'error') {
    return `${output.ename ?? 'Error'}: ${output.evalue ?? ''}`.slice(0, MAX_OUTPUT);
  }
  // no images, and no HTML: a model is told in words
  const text = joined(output.text ?? output.data?.['text/plain']).trimEnd();
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
