/** One model that can be chosen, and the providers that are not installed. */
import React from 'react';

import { useTools } from '../context';
import { ProviderInfo } from '../../stores/modelChoice';
import { ModelInfo } from '../../wire/protocol';
import { InstallLine } from './installLine';
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
        {model.local ? name(model.id) : named ? model.label : bare(model)}
        {hint && !model.local && <small> {hint}</small>}
      </button>
    </li>
  );
}

/** What a model is called below its provider's heading; a package's only one has the package's name. */
function bare(model: ModelInfo): string {
  const own = model.id === `${model.provider}:default`;
  return own ? model.label : model.id.replace(/^[^:]*:/, '');
}

/** The providers whose packages are not there, and the line that installs each. */
export function NotInstalled(props: { providers: readonly ProviderInfo[] }): JSX.Element {
  const { trans } = useTools();
  const byPackage = new Map<string, string[]>(); // two providers may have one
  for (const { label, package: what } of props.providers) {
    byPackage.set(what, [...(byPackage.get(what) ?? []), label]);
  }
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
        {[...byPackage].map(([what, labels]) => (
          <li key={what}>
            <InstallLine label={labels.join(', ')} what={what} />
          </li>
        ))}
      </ul>
    </details>
  );
}
