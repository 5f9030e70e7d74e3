/** Where the person is, above the input: what is told of it with the next prompt. */
import React, { useEffect, useId, useReducer, useState, useSyncExternalStore } from 'react';

import { ASSUMED } from '../../chat/attachments';
import { focusInput, useSettings, useSnapshot, useTools } from '../context';

/** What is told of where the person is: its name, if it can be told, and whether this chat does. */
function usePlace(): { label: string; withoutPlace: boolean } {
  const { place } = useTools();
  const { tellPlace } = useSettings();
  const { withoutPlace } = useSnapshot();
  const label = useSyncExternalStore(place.subscribe, place.label);
  return { label: tellPlace ? label : '', withoutPlace };
}

/** Tell whether a prompt of this chat tells where the person is. */
export function useTellsPlace(): boolean {
  const { label, withoutPlace } = usePlace();
  return label !== '' && !withoutPlace;
}

/** What a prompt of this chat tells of where the person is, by its name; empty for nothing. */
export function useTold(): string {
  const { label, withoutPlace } = usePlace();
  return withoutPlace ? '' : label;
}

/** Show where the person is; it can be opened and read, and taken off for this chat. */
export function PlaceChip(): JSX.Element | null {
  const { controller, trans } = useTools();
  const { label, withoutPlace } = usePlace();
  const [open, setOpen] = useState(false);
  const id = useId();
  if (!label) {
    return null;
  }
  const tell = (tells: boolean): void => {
    setOpen(false);
    controller.perChat.tellPlace(tells);
    focusInput();
  };
  const named = withoutPlace
    ? {
        'aria-label': trans.__('Tell the model where you are: %1', label),
        title: trans.__('Not told in this chat. Click to tell the model where you are'),
        onClick: () => tell(true)
      }
    : {
        'aria-label': trans.__('Told with the prompt: %1', label),
        title: trans.__('Told with the prompt: %1. Click to read what is sent', label),
        'aria-expanded': open,
        'aria-controls': id,
        onClick: () => setOpen(!open)
      };
  const off = trans.__('Do not tell where I am in this chat');
  return (
    <>
      <div className="jp-StopChat-place" data-told={!withoutPlace}>
        <button type="button" className="jp-StopChat-placeName" {...named}>
          <span aria-hidden="true">{withoutPlace ? '+' : open ? '▾' : '▸'}</span> {label}
        </button>
        {!withoutPlace && (
          <button
            type="button"
            className="jp-StopChat-placeOff"
            aria-label={off}
            title={off}
            onClick={() => tell(false)}
          >
            <span aria-hidden="true">×</span>
          </button>
        )}
      </div>
      <div id={id} className="jp-StopChat-placeText" hidden={!open}>
        {open && <Preview />}
      </div>
    </>
  );
}

/** What would be sent now, as it would be. */
function Preview(): JSX.Element {
  const { place, trans } = useTools();
  const { prompt, welcome } = useSnapshot();
  const [, look] = useReducer((looks: number) => looks + 1, 0);
  useEffect(() => place.subscribe(look), [place]);
  const one = place.preview({ draft: prompt.draft, limits: welcome?.limits ?? ASSUMED });
  return one ? (
    <pre tabIndex={0} role="group" aria-label={one.name}>
      {one.text}
    </pre>
  ) : (
    <p>{trans.__('There is no room for it beside the prompt: nothing is sent of it.')}</p>
  );
}
