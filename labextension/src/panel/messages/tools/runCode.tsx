/** Code that runs, or ran: all of it, as it is, with its colours. */
import React, { useLayoutEffect, useRef } from 'react';

import { useTools } from '../../context';

export function RunCode(props: { code: string; language: string; name: string }): JSX.Element {
  const { render } = useTools();
  const { code, language, name } = props;
  const place = useRef<HTMLPreElement>(null);
  useLayoutEffect(() => {
    const grown = render.growCode(language);
    const made = grown.node.querySelector('code');
    if (made) {
      place.current?.replaceChildren(made);
      grown.update(`${code}\n`); // a line has its colours once it is whole
    }
  }, [render, code, language]);
  return (
    <pre className="jp-StopChat-runCode" role="group" aria-label={name} tabIndex={0} ref={place} />
  );
}
