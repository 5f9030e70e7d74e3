/** A reply as it is read: its words, and the tools that were called between them. */
import { ToolCall } from '../../wire/protocol';

export type ReplyPart =
  | { readonly kind: 'text'; readonly from: number; readonly to: number }
  | { readonly kind: 'tools'; readonly at: number; readonly calls: readonly ToolCall[] };

/**
 * Put the tools of a reply where they were called. There is always a text at the end: it grows.
 *
 * @param length of the text that is here, in UTF-16 code units.
 */
export function partsOf(length: number, calls: readonly ToolCall[]): ReplyPart[] {
  const parts: ReplyPart[] = [];
  const places = new Map<number, ToolCall[]>();
  for (const call of calls) {
    const at = Math.min(call.at ?? 0, length);
    places.set(at, [...(places.get(at) ?? []), call]);
  }
  let from = 0;
  for (const [at, those] of [...places].sort(([one], [other]) => one - other)) {
    if (at > from) {
      parts.push({ kind: 'text', from, to: at });
    }
    parts.push({ kind: 'tools', at, calls: those });
    from = at;
  }
  parts.push({ kind: 'text', from, to: length });
  return parts;
}

/** Where a call is that was begun, or asked for, and has not come to an end. */
const OPEN: readonly ToolCall['state'][] = ['asked', 'waiting', 'running'];

/** Tell whether a tool is at work, or waits: then nothing of the model is waited for. */
export function isAtWork(calls: readonly ToolCall[]): boolean {
  return calls.some(call => OPEN.includes(call.state));
}
