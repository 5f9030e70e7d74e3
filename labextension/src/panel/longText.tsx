/** A text that was not made for a person, such as a tool's result: as it is, and not too much of it. */
import React, { useState } from 'react';

import { useTools } from './context';

/** So much of it is shown, in UTF-16 code units. */
const SHOWN = 4000;

export function LongText(props: {
  name: string;
  text: string;
  /** All of it is shown, however long it is: it is to be decided on. */
  whole?: boolean;
}): JSX.Element {
  const { code, trans } = useTools();
  const [copied, setCopied] = useState(false);
  const { name, text } = props;
  const shown = props.whole ? text.length : SHOWN;
  return (
    <div className="jp-StopChat-longText">
      <div>
        <span>{name}</span>
        <button
          type="button"
          className="jp-StopChat-action"
          aria-label={trans.__('Copy: %1', name)}
          onClick={() => void code.copy(text).then(setCopied)}
        >
          {copied ? trans.__('Copied') : trans.__('Copy')}
        </button>
      </div>
      <pre tabIndex={0} aria-label={name} role="group">
        {text.slice(0, shown)}
      </pre>
      {text.length > shown && (
        <div>{trans.__('Shortened: %1 of %2 characters. Copy takes all.', shown, text.length)}</div>
      )}
    </div>
  );
}
