/** What a reply cost, and where the part of the chat begins that its model was given. */
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { useTools } from '../context';
import { costWords } from '../money';
import { useModelName } from '../models/modelName';
import { MessageView } from '../../chat/messages';
import { Usage } from '../../wire/protocol';

/** Say what a provider counted, or what it is estimated to be. */
export function usageWords(trans: TranslationBundle, usage: Usage | undefined): string | undefined {
  const { input_tokens: read, output_tokens: made, estimated } = usage ?? {};
  if (made === undefined) {
    return undefined;
  }
  if (read === undefined) {
    return estimated
      ? trans._n('about %1 token', 'about %1 tokens', made)
      : trans._n('%1 token', '%1 tokens', made);
  }
  return estimated
    ? trans.__('about %1 tokens in, %2 out', read, made)
    : trans.__('%1 tokens in, %2 out', read, made);
}

/** The model of a reply; what it used is said to who points at it or does not see it. */
export function UsageLine(props: { view: MessageView }): JSX.Element | null {
  const { trans } = useTools();
  const name = useModelName();
  const { state, model, usage, cost } = props.view.info;
  const used = [usageWords(trans, usage), costWords(trans, cost)];
  const [first, ...more] = [name(model ?? null), ...used].filter(part => part);
  if ((state !== 'completed' && state !== 'failed') || !first) {
    return null;
  }
  return (
    <span className="jp-StopChat-usage" title={[first, ...more].join(' · ')}>
      {first}
      {more.length > 0 && <span className="jp-StopChat-unseen"> · {more.join(' · ')}</span>}
    </span>
  );
}

/** A line above the first message that is sent to the model. */
export function CutLine(): JSX.Element {
  const { trans } = useTools();
  return (
    <div className="jp-StopChat-cut" role="note">
      {trans.__('The model is told from here on: with what is above, it is too long for it')}
    </div>
  );
}
