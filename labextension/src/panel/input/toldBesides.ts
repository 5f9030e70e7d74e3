/** What goes with the next prompt besides what is in the input, as far as it is known. */
import { useEffect, useRef, useState } from 'react';

import { ASSUMED } from '../../chat/attachments';
import { Besides } from '../../chat/contextUse';
import { Attachment } from '../../wire/protocol';
import { useSnapshot, useTools } from '../context';
import { useTold } from './placeChip';

/**
 * @param counted the instructions were counted by a provider, and are not asked for.
 * @param looks changes each time that it is looked at closely.
 */
export function useToldBesides(
  wanted: boolean,
  counted: boolean,
  model: string | null,
  looks: boolean
): Besides {
  const { place, instructions } = useTools();
  const { chat, prompt, welcome } = useSnapshot();
  const told = useTold();
  const { chatId } = chat;
  const latest = useRef({ draft: prompt.draft, limits: welcome?.limits ?? ASSUMED });
  useEffect(() => {
    latest.current = { draft: prompt.draft, limits: welcome?.limits ?? ASSUMED };
  });
  // not at each key that is pressed in a notebook: its cells may have printed very much
  const [there, setThere] = useState<Attachment | null>(null);
  useEffect(() => {
    setThere(wanted && told ? place.preview(latest.current) : null);
  }, [wanted, told, looks, place]);
  const [length, setLength] = useState(0);
  useEffect(() => {
    if (!wanted || counted) {
      return undefined;
    }
    let isCurrent = true;
    instructions.next(chatId, place.path(), model).then(
      text => isCurrent && setLength(text.length),
      () => isCurrent && setLength(0) // it is said without them
    );
    return () => {
      isCurrent = false;
    };
  }, [wanted, counted, chatId, model, told, looks, place, instructions]);
  return { place: there, instructions: length };
}
