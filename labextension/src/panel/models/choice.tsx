/** One model that can be chosen, and the providers that are not installed. */
import React, { useState } from 'react';

import { useTools } from '../context';
import { ProviderInfo } from '../../stores/modelChoice';
import { ModelInfo } from '../../wire/protocol';
import { askForKey } from './keys';
import { useModelName } from './modelName';

/** A row; where a key is missing, it asks for that. */
export function Choice(props: {
  model: ModelInfo;
  /** Its provider is named as well. */
  named?: boolean;
  onChosen: (id: string) => void;
}): JSX.Element {
  const tools = useTools();
  const { models, trans } = tools;
  const name = useModelName();
  const { model, named, onChosen } = props;
  const provider = models.providerOf(model.id);
  const asks = model.reason === 'missing_key' && provider?.may_give ? provider : null;
  const locked = model.reason === 'keychain_locked';
  const choose = (): void => {
    if (model.available) {
      onChosen(model.id);
    } else if (asks) {
      void askForKey(tools, asks, model.id);
    } else if (locked) {
      void models.load();
    }
  };
  const hint = asks || model.reason === 'missing_key'
    ? trans.__('needs a key')
    : locked
      ? trans.__('keychain locked')
      : model.reason === 'missing_package'
        ? trans.__('not installed')
        : '';
  return (
    <li>
      <button
        type="button"
        className="jp-StopChat-choice"
        aria-current={models.effective === model.id ? 'true' : undefined}
        aria-disabled={!model.available && !asks && !locked}
        title={model.id}
        onClick={choose}
      >
        {model.local ? name(model.id) : named ? model.label : model.id.replace(/^[^:]*:/, '')}
        {hint && !model.local && <small> {hint}</small>}
      </button>
    </li>
  );
}

/** The providers whose packages are not there, and the line that installs each. */
export function NotInstalled(props: { providers: readonly ProviderInfo[] }): JSX.Element {
  const { trans } = useTools();
  return (
    <details className="jp-StopChat-hint jp-StopChat-notInstalled">
      <summary>
        {trans.__(
          'Not installed on the server: %1.',
          props.providers.map(provider => provider.label).join(', ')
        )}
      </summary>
      <p>{trans.__('In a terminal of the server; then start the server again:')}</p>
      <ul>
        {props.providers.map(provider => (
          <InstallLine key={provider.name} provider={provider} />
        ))}
      </ul>
    </details>
  );
}

function InstallLine(props: { provider: ProviderInfo }): JSX.Element {
  const { code, trans } = useTools();
  const [copied, setCopied] = useState(false);
  const { label, package: name } = props.provider;
  const line = `pip install ${name}`;
  return (
    <li>
      <code>{line}</code>
      <button
        type="button"
        className="jp-StopChat-action"
        aria-label={trans.__('Copy the line that installs %1', label)}
        onClick={() => void code.copy(line).then(setCopied)}
      >
        {copied ? trans.__('Copied') : trans.__('Copy')}
      </button>
    </li>
  );
}
