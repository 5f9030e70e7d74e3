/** What is shown while no model is ready: install the local one, give a key, or choose another. */
import React from 'react';

import { PanelTools, useModels, useTools } from '../context';
import { ErrorDetails } from '../errorDetails';
import { BUILT_IN } from '../../stores/modelChoice';
import { InstallLine, LOCAL_PACKAGE } from './installLine';
import { passFocusInside, passLostFocus } from '../passFocus';
import { askForKey, retryFailed } from './keys';
import { openPicker } from './modelName';

/** A card above the input, until the next prompt can be answered. */
export function Setup(): JSX.Element | null {
  const tools = useTools();
  const { models, trans } = tools;
  const { list, local, failure } = useModels();
  const lack = models.lack;
  const name = models.effective ?? '';
  if (!lack) {
    return null;
  }
  const provider = list?.providers.find(one => name.startsWith(`${one.name}:`));
  const what = name === BUILT_IN ? LOCAL_PACKAGE : provider?.package;
  const isLocal = lack === 'local_model_missing';
  let words: string;
  if (isLocal) {
    words = trans.__(
      'No model is set up yet. The local one needs no key and no network; it is small, and knows little.'
    );
  } else if (lack === 'missing_key') {
    words = trans.__('%1 needs a key.', models.info(name)?.label ?? name);
  } else if (lack === 'keychain_locked') {
    words = trans.__(
      'The key for %1 is in the system\'s keychain, which is locked. Unlock it, then try again.',
      models.info(name)?.label ?? name
    );
  } else if (name === BUILT_IN) {
    words = trans.__(
      'No model is set up yet. In a terminal of the server, this adds a small local one that needs no key. Then start the server again.'
    );
  } else {
    words = trans.__(
      'The package for %1 is not installed. In a terminal of the server, this adds it. Then start the server again.',
      models.info(name)?.label ?? name
    );
  }
  return (
    <section className="jp-StopChat-setup" aria-label={trans.__('Set up a model')}>
      <p>{words}</p>
      {isLocal && <InstallLocal />}
      {lack === 'missing_package' && what && (
        <div className="jp-StopChat-setupRow">
          <InstallLine label={models.info(name)?.label ?? name} what={what} />
        </div>
      )}
      {failure && <p role="alert">{failure}</p>}
      <div className="jp-StopChat-setupRow">
        {lack === 'missing_key' && provider?.may_give && (
          <button
            type="button"
            className="jp-StopChat-primary"
            onClick={() => void askForKey(tools, provider).then(passFocusInside)}
          >
            {trans.__('Add a key')}
          </button>
        )}
        {lack === 'keychain_locked' && (
          <button
            type="button"
            className="jp-StopChat-primary"
            onClick={() => void models.load().then(passFocusInside)}
          >
            {trans.__('Retry')}
          </button>
        )}
        {!list?.locked && (
          <button
            type="button"
            className="jp-StopChat-action"
            onClick={event => openPicker(event.currentTarget)}
          >
            {isLocal && !(local && local.state === 'installing')
              ? trans.__('Use another model or a key')
              : trans.__('Choose another model')}
          </button>
        )}
      </div>
    </section>
  );
}

/** Install the local model, and make the reply that failed without it. */
async function install(tools: PanelTools): Promise<void> {
  await tools.models.install();
  if (await tools.models.installed()) {
    retryFailed(tools, 'local');
    passLostFocus(); // it took a while: whoever is elsewhere by now stays there
  }
}

/** The button that installs the local model, its progress, and what became of it. */
export function InstallLocal(): JSX.Element | null {
  const tools = useTools();
  const { trans } = tools;
  const { local } = useModels();
  if (!local || local.state === 'installed') {
    return null;
  }
  const mega = (bytes: number): string => String(Math.round(bytes / 1_000_000));
  if (local.state === 'missing') {
    return (
      <div className="jp-StopChat-install">
        {local.error && (
          <>
            <p role="alert">{local.error.message}</p>
            <ErrorDetails error={local.error} />
          </>
        )}
        {local.may_install ? (
          <button
            type="button"
            className="jp-StopChat-primary"
            onClick={() => void install(tools)}
          >
            {trans.__('Install the local model (%1 MB)', mega(local.total))}
          </button>
        ) : (
          <p>{trans.__('Ask who runs this server to install it.')}</p>
        )}
      </div>
    );
  }
  const stopping = local.state === 'stopping';
  const words = stopping
    ? trans.__('Stopping…')
    : local.done < local.total
      ? trans.__('Downloading: %1 of %2 MB', mega(local.done), mega(local.total))
      : trans.__('Checking…');
  return (
    <div className="jp-StopChat-install">
      <div
        className="jp-StopChat-progress"
        role="progressbar"
        aria-label={trans.__('Installing the local model')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.floor((100 * local.done) / local.total)}
        aria-valuetext={words}
      >
        <div style={{ width: `${(100 * local.done) / local.total}%` }} />
      </div>
      <div className="jp-StopChat-setupRow">
        <span>{words}</span>
        <button
          type="button"
          className="jp-StopChat-action"
          aria-disabled={stopping}
          onClick={() => !stopping && void tools.models.stopInstalling()}
        >
          {trans.__('Stop')}
        </button>
      </div>
    </div>
  );
}
