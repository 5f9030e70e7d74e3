/** Named chips for what goes with a prompt. */
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { useTools } from './context';
import { Picture } from './picture';
import { Attachment } from '../wire/protocol';

/** Show what goes with a prompt, and how large it is; each can be removed. */
export function Chips(props: {
  attachments: readonly Attachment[];
  /** @param at its place among them. */
  onRemove: (at: number) => void;
}): JSX.Element {
  const { trans } = useTools();
  return (
    <ul className="jp-StopChat-attachments" aria-label={trans.__('Attachments')}>
      {props.attachments.map((attachment, at) => (
        <li className="jp-StopChat-attachment" key={at} title={attachment.name}>
          {attachment.blob && (
            <Picture attachment={attachment} className="jp-StopChat-thumbnail" />
          )}
          <span className="jp-StopChat-attachmentName">{attachment.name}</span>
          {attachment.text !== '' && ( // else it is on the server only
            <span className="jp-StopChat-attachmentSize">{sizeWords(trans, attachment.text)}</span>
          )}
          <button
            type="button"
            aria-label={trans.__('Remove %1', attachment.name)}
            title={trans.__('Remove')}
            onClick={() => props.onRemove(at)}
          >
            <span aria-hidden="true">×</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Say how large a text is. */
function sizeWords(trans: TranslationBundle, text: string): string {
  const { length } = text;
  return length < 1000 ? trans.__('%1 B', length) : trans.__('%1 kB', Math.round(length / 1000));
}
