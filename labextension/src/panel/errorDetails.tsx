/** What is known of an error besides its sentence, folded in: who said what, and its id in the log. */
import React from 'react';

import { useTools } from './context';
import { ErrorInfo } from '../wire/protocol';
import { LongText } from './longText';

export function ErrorDetails(props: {
  error: ErrorInfo;
  /** The model that failed; none where no model was asked. */
  model?: string;
}): JSX.Element | null {
  const { models, trans } = useTools();
  const { error, model } = props;
  if (!error.error_id && !error.said) {
    return null;
  }
  const provider = model ? models.providerName(model) : '';
  return (
    <details className="jp-StopChat-errorDetails">
      <summary>{trans.__('Details')}</summary>
      {error.said ? (
        <LongText name={trans.__('What %1 said', provider)} text={error.said} />
      ) : (
        provider && <div>{trans.__('Provider: %1', provider)}</div>
      )}
      {error.error_id && (
        <LongText name={trans.__("Error id, for the server's log")} text={error.error_id} />
      )}
    </details>
  );
}
