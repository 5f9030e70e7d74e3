/** What goes with the draft: named chips in the input. */
import React from 'react';

import { Chips } from '../chips';
import { focusInput, useSnapshot, useTools } from '../context';
import { IconButton } from '../iconButton';

/** Show what is attached to the draft; each can be removed. */
export function DraftAttachments(): JSX.Element | null {
  const { controller } = useTools();
  const { attachments } = useSnapshot().prompt.draft;
  if (attachments.length === 0) {
    return null;
  }
  return (
    <Chips
      attachments={attachments}
      onRemove={at => {
        controller.attach(attachments.filter((_, one) => one !== at));
        controller.untell();
        focusInput();
      }}
    />
  );
}

/** The button that offers what can be attached. */
export function AttachButton(): JSX.Element {
  const { trans, openMenu } = useTools();
  return (
    <IconButton
      name={trans.__('Attach')}
      title={trans.__('Attach a selection, a cell or files')}
      className="jp-StopChat-attach"
      path="M8.2 3.2 3.9 7.5a2.9 2.9 0 0 0 4.1 4.1l4.6-4.6-.9-.9-4.6 4.6a1.6 1.6 0 0 1-2.3-2.3l4.3-4.3a.9.9 0 0 1 1.3 1.3L6.6 9.2l.9.9 3.8-3.8a2.2 2.2 0 0 0-3.1-3.1Z"
      hasMenu
      onClick={button => openMenu('attach', button)}
    />
  );
}
