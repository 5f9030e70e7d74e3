/** The round button that leads to the end of the messages. */
import React, { useSyncExternalStore } from 'react';

import { focusInput, useTools } from '../context';
import { IconButton } from '../iconButton';
import { Following } from '../messages/following';

/** It stands beside the model, where it covers nothing; a dot says that there is new text. */
export function ToEnd(props: { following: Following }): JSX.Element {
  const { trans } = useTools();
  const { following } = props;
  const { away, news } = useSyncExternalStore(following.subscribe, following.getSnapshot);
  return (
    // its room stays, so that nothing moves when it comes
    <div className="jp-StopChat-toEnd" data-news={news} hidden={!away}>
      <IconButton
        name={news ? trans.__('Go to the end: new text') : trans.__('Go to the end')}
        path="M8 12.5 3.5 8l1-1 2.8 2.8V3h1.4v6.8L11.5 7l1 1L8 12.5Z"
        size={14}
        onClick={() => {
          following.toEnd();
          focusInput(); // the button goes away, and Esc must still reach the panel
        }}
      />
    </div>
  );
}
