/** A picture that was sent: small beside its prompt's words, and large at a click. */
import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import React from 'react';

import { PanelContext, PanelTools, useTools } from '../context';
import { Picture } from '../picture';
import { Attachment } from '../../wire/protocol';

/** A picture that was sent; a click shows it large. */
export function SentPicture(props: { attachment: Attachment }): JSX.Element {
  const tools = useTools();
  const { attachment } = props;
  return (
    <button
      type="button"
      className="jp-StopChat-sentPicture"
      aria-label={tools.trans.__('Show %1 large', attachment.name)}
      title={attachment.name}
      onClick={() => void showLarge(tools, attachment)}
    >
      <Picture attachment={attachment} className="jp-StopChat-picture" />
    </button>
  );
}

/** Show a picture as large as the page has room. */
async function showLarge(tools: PanelTools, attachment: Attachment): Promise<void> {
  const body = ReactWidget.create(
    <PanelContext.Provider value={tools}>
      <Picture attachment={attachment} className="jp-StopChat-largePicture" />
    </PanelContext.Provider>
  );
  body.addClass('jp-StopChat-large');
  await showDialog({
    title: attachment.name,
    body,
    buttons: [Dialog.cancelButton({ label: tools.trans.__('Close') })],
    hasClose: true
  });
}
