/** What goes with the draft: named chips in the input. */
import React from 'react';

import { Chips } from '../chips';
import { useTellsPlace } from './placeChip';
import { PLACE } from '../../chat/place/mentions';
import { withoutOrigins } from '../../chat/sending/gathering';
import { focusInput, useModels, useSnapshot, useTools } from '../context';
import { hasPicture, isPicture } from '../../chat/attachments';
import { Upload } from '../../chat/state';
import { Attachment } from '../../wire/protocol';
import { CROSS, IconButton } from '../iconButton';

/** Show what is attached to the draft; each can be removed. */
export function DraftAttachments(): JSX.Element | null {
  const { controller } = useTools();
  const { prompt, uploads } = useSnapshot();
  const { attachments } = prompt.draft;
  const tells = useTellsPlace();
  // where the person was when they stopped the prompt: it is told anew
  const shown = tells ? withoutOrigins(attachments, [PLACE]) : attachments;
  return (
    <>
      {shown.length > 0 && (
        <Chips
          attachments={shown}
          onRemove={at => {
            controller.attach(attachments.filter(one => one !== shown[at]));
            controller.untell();
            focusInput();
          }}
        />
      )}
      {uploads.length > 0 && <Uploads uploads={uploads} />}
      {hasPicture(attachments) && <Unseen attachments={attachments} />}
    </>
  );
}

/** What is on its way to the server. */
function Uploads(props: { uploads: readonly Upload[] }): JSX.Element {
  const { trans } = useTools();
  return (
    <div className="jp-StopChat-uploads" role="status">
      {props.uploads.map(one => (
        <span key={one.key}>
          <span>{trans.__('Attaching %1…', one.name)}</span>
          <IconButton
            name={trans.__('Do not attach %1', one.name)}
            path={CROSS}
            size={12}
            onClick={() => {
              one.giveUp();
              focusInput();
            }}
          />
        </span>
      ))}
    </div>
  );
}

/** Say that the model takes no pictures, where that is known, and offer to send without them. */
function Unseen(props: { attachments: readonly Attachment[] }): JSX.Element | null {
  const { controller, models, trans } = useTools();
  useModels();
  const { notice } = useSnapshot().chat;
  const info = models.info(models.effective);
  if (info?.image_inputs !== false && notice?.code !== 'cannot_see') {
    return null;
  }
  return (
    <div className="jp-StopChat-takesNone" role="status">
      <span>{trans.__('%1 takes no pictures.', info?.label ?? trans.__('This model'))}</span>
      <button
        type="button"
        className="jp-StopChat-action"
        onClick={() => {
          controller.attach(props.attachments.filter(one => !isPicture(one)));
          controller.dismissNotice();
          controller.send();
          focusInput();
        }}
      >
        {trans.__('Send without pictures')}
      </button>
    </div>
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
