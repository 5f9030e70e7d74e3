/** The line that installs what is missing on the server. */
import React, { useState } from 'react';

import { useTools } from '../context';

/** What the built-in model needs besides its weights. */
export const LOCAL_PACKAGE = '"jupyter-stop-chat[local]"';

export function InstallLine(props: {
  /** What it is for. */
  label: string;
  /** What pip is to install. */
  what: string;
}): JSX.Element {
  const { code, trans } = useTools();
  const [copied, setCopied] = useState(false);
  const line = `pip install ${props.what}`;
  return (
    <>
      <code>{line}</code>
      <button
        type="button"
        className="jp-StopChat-action"
        aria-label={trans.__('Copy the line that installs %1', props.label)}
        onClick={() => void code.copy(line).then(setCopied)}
      >
        {copied ? trans.__('Copied') : trans.__('Copy')}
      </button>
    </>
  );
}
