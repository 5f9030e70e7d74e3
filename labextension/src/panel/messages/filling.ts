/** How the messages of a long chat come onto the page: from its end, which is what is looked at. */
import { useCallback, useEffect, useRef, useState } from 'react';

import { useTools } from '../context';
import { hasText, MessageView } from '../../chat/messages';
import { isTerminal } from '../../wire/guards';

/** So many messages come first, which fill the view; and so many more once those are drawn. */
const [FIRST, MORE] = [4, 16];

/** Nothing is waited for longer than so many milliseconds. */
const PATIENCE = 1000;

/** What of a chat is on the page, and who is to be told that a message was drawn. */
export interface Filled {
  readonly filled: readonly MessageView[];
  readonly onDrawn: (messageId: string) => void;
}

/** Return the messages that come onto the page now: those further up when these are drawn. */
export function useFilledFromEnd(shown: readonly MessageView[]): Filled {
  const { schedule } = useTools();
  /** The message that everything from is on the page. */
  const [top, setTop] = useState<string | null>(null);
  const drawn = useRef(new Set<string>());
  const awaited = useRef(new Set<string>());
  const goOn = useRef<() => void>(() => undefined);
  const known = shown.findIndex(view => view.id === top);
  const from = known < 0 ? Math.max(0, shown.length - FIRST) : known;
  const next = shown[known < 0 ? from : Math.max(0, from - MORE)]?.id ?? null;
  const latest = useRef(shown);
  latest.current = shown;
  useEffect(() => {
    if (next === top) {
      return undefined; // all are there
    }
    let isWanted = true;
    const replies = latest.current.slice(from).filter(isWhole);
    awaited.current = new Set(
      replies.map(view => view.id).filter(id => !drawn.current.has(id) && top !== null)
    );
    goOn.current = () => schedule(() => isWanted && setTop(next), 0);
    if (awaited.current.size === 0) {
      goOn.current();
    } else {
      schedule(goOn.current, PATIENCE); // one may never be drawn: it went away, or could not be
    }
    return () => {
      isWanted = false;
      awaited.current.clear();
    };
  }, [next, top, from, schedule]);
  const onDrawn = useCallback((messageId: string) => {
    drawn.current.add(messageId);
    if (awaited.current.delete(messageId) && awaited.current.size === 0) {
      goOn.current();
    }
  }, []);
  return { filled: from === 0 ? shown : shown.slice(from), onDrawn };
}

/** A reply that is drawn as soon as it is on the page: all of it is here. */
function isWhole(view: MessageView): boolean {
  return view.role === 'assistant' && isTerminal(view.info.state) && hasText(view);
}
