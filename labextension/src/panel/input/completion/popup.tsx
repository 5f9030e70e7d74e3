/** The list of what can be chosen while a prompt is typed. */
import React, { useEffect, useRef } from 'react';

import { useTools } from '../../context';
import { Completion } from './useCompletion';

export function Popup(props: { completion: Completion }): JSX.Element {
  const { trans } = useTools();
  const { suggestions, active, id, choose } = props.completion;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [active, suggestions]);
  const count = suggestions.length;
  return (
    <>
      {count > 0 && (
        <ul
          ref={list}
          id={id}
          className="jp-StopChat-popup"
          role="listbox"
          // the focus stays in the input, also when the list is scrolled by its bar
          onMouseDown={event => event.preventDefault()}
          aria-label={trans.__('Suggestions')}
        >
          {suggestions.map((one, at) => (
            // its keys are the input's, which keeps the focus
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <li
              key={one.label}
              id={`${id}${at}`}
              role="option"
              aria-selected={at === active}
              onClick={() => choose(at)}
            >
              <span>{one.label}</span> <span>{one.detail}</span>
            </li>
          ))}
        </ul>
      )}
      <span className="jp-StopChat-unseen" role="status">
        {count > 0 ? trans.__('%1 suggestions', count) : ''}
      </span>
    </>
  );
}
