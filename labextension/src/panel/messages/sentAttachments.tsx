/** What was sent with a prompt. */
import React from 'react';

import { Unfolding } from './missing';
import { SentPicture } from './sentPicture';
import { Attachment, LeftOut } from '../../wire/protocol';

/** Show what was sent with a prompt; its text unfolds. */
export function SentAttachments(props: {
  attachments: readonly Attachment[];
  /** The message that was sent, and what of it is not here. */
  messageId?: string;
  leftOut?: readonly LeftOut[];
}): JSX.Element | null {
  const lacks = (at: number): boolean =>
    props.leftOut?.some(one => one.part === 'attachment' && one.at === at) ?? false;
  if (props.attachments.length === 0) {
    return null;
  }
  return (
    <div className="jp-StopChat-sentAttachments">
      {props.attachments.map((attachment, at) =>
        attachment.blob ? (
          <SentPicture key={at} attachment={attachment} />
        ) : (
        <Unfolding
          key={at}
          className="jp-StopChat-sentAttachment"
          summary={attachment.name}
          messageId={props.messageId ?? ''}
          lacks={lacks(at)}
        >
          {!lacks(at) && <pre tabIndex={0}>{attachment.text}</pre>}
        </Unfolding>
        )
      )}
    </div>
  );
}
