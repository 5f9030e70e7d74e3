/** A picture that goes with a prompt, in the size of its place. */
import React from 'react';

import { usePicture, useTools } from './context';
import { Attachment } from '../wire/protocol';

/** Show a picture, or say that it is not here. */
export function Picture(props: {
  attachment: Attachment;
  className: string;
}): JSX.Element {
  const { trans } = useTools();
  const { attachment, className } = props;
  const picture = usePicture(attachment.blob ?? '');
  const { width, height, name } = attachment;
  switch (picture.state) {
    case 'here':
      return (
        // its size is known before it is: nothing jumps when it comes
        <img
          className={className}
          src={picture.url}
          alt={name}
          width={width ?? undefined}
          height={height ?? undefined}
        />
      );
    case 'missing':
      return (
        <span className="jp-StopChat-noPicture" role="img" aria-label={trans.__('%1: not there', name)}>
          {trans.__('This picture is not there any more.')}
        </span>
      );
    default:
      return (
        <span
          className={`${className} jp-StopChat-pictureComes`}
          role="img"
          aria-label={trans.__('%1: loading', name)}
          style={width && height ? { aspectRatio: `${width} / ${height}` } : undefined}
        />
      );
  }
}
