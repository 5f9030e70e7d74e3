/** The list of what can be chosen while a prompt is typed: when it is open, and what keys do then. */
import React, { RefObject, useCallback, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';

import { Word, wordAt } from '../../../chat/place/mentions';
import { composes } from '../../../stores/sendKey';
import { useSnapshot, useTools } from '../../context';
import { narrowed, Suggestion, suggestionsFor } from './suggesting';

/** A word, and what can be chosen for it. */
interface Open {
  readonly word: Word;
  readonly suggestions: readonly Suggestion[];
  readonly active: number;
}

export interface Completion {
  /** What can be chosen; nothing while the list is closed. */
  readonly suggestions: readonly Suggestion[];
  readonly active: number;
  /** The id of the list in the page; that of an entry has its place behind it. */
  readonly id: string;
  /** Look at the word at the caret: it was typed, or the caret was moved. */
  look: () => void;
  close: () => void;
  choose: (at: number) => void;
  /** Handle a key; tell whether it was for the list. */
  onKeyDown: (event: React.KeyboardEvent) => boolean;
}

export function useCompletion(box: RefObject<HTMLTextAreaElement>): Completion {
  const { controller, commands, place, trans } = useTools();
  const { text } = useSnapshot().prompt.draft;
  const [open, setOpen] = useState<Open | null>(null);
  const id = useId();
  /** Tells the newest look: what an older one finds comes too late. */
  const looks = useRef(0);
  /** Where the word begins for which the person has closed the list. */
  const closedAt = useRef<number | null>(null);
  /** Where the caret goes once the text is there. */
  const caret = useRef<number | null>(null);

  const close = useCallback((): void => {
    looks.current += 1;
    setOpen(null);
  }, []);

  const look = useCallback((): void => {
    const element = box.current;
    const isCaret = element !== null && element.selectionStart === element.selectionEnd;
    const word = isCaret ? wordAt(element.value, element.selectionStart) : null;
    if (word?.start !== closedAt.current) {
      closedAt.current = null;
    }
    if (!word || closedAt.current !== null) {
      close();
      return;
    }
    looks.current += 1;
    const mine = looks.current;
    setOpen(shown => shown && opened(word, narrowed(shown.suggestions, word)));
    void suggestionsFor(word, { commands, paths: place.paths, trans }).then(suggestions => {
      if (mine === looks.current) {
        setOpen(opened(word, suggestions));
      }
    });
  }, [box, close, commands, place, trans]);

  useEffect(() => close, [close, controller]);
  useLayoutEffect(() => {
    const element = box.current;
    if (element && caret.current !== null) {
      element.focus();
      element.setSelectionRange(caret.current, caret.current);
      caret.current = null;
      look();
    } else if (text === '') {
      closedAt.current = null;
      close(); // it was sent
    }
  }, [box, text, look, close]);

  const choose = (at: number): void => {
    const chosen = open?.suggestions[at];
    if (!open || !chosen) {
      return;
    }
    const { start, end } = open.word;
    const [before, after] = [text.slice(0, start), text.slice(end)];
    close();
    if (chosen.command) {
      const words = after.trimStart();
      controller.edit(words);
      void controller.run(chosen.command, words);
      return;
    }
    const space = chosen.goesOn || /^\s/.test(after) ? '' : ' ';
    caret.current = before.length + chosen.text.length + (chosen.goesOn ? 0 : 1);
    controller.edit(`${before}${chosen.text}${space}${after}`);
  };

  const step = (by: number): void => {
    if (open) {
      const { length } = open.suggestions;
      setOpen({ ...open, active: (open.active + by + length) % length });
    }
  };

  const onKeyDown = (event: React.KeyboardEvent): boolean => {
    const isPlain = !(event.shiftKey || event.ctrlKey || event.metaKey || event.altKey);
    if (!open || !isPlain || composes(event.nativeEvent)) {
      return false;
    }
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp':
        step(event.key === 'ArrowDown' ? 1 : -1);
        break;
      case 'Enter':
      case 'Tab':
        choose(open.active);
        break;
      case 'Escape':
        closedAt.current = open.word.start;
        close();
        break;
      default:
        return false;
    }
    event.preventDefault();
    event.stopPropagation();
    return true;
  };

  return {
    suggestions: open?.suggestions ?? [],
    active: open?.active ?? 0,
    ...{ id, look, close, choose, onKeyDown }
  };
}

function opened(word: Word, suggestions: readonly Suggestion[]): Open | null {
  return suggestions.length > 0 ? { word, suggestions, active: 0 } : null;
}
