/** The list of models: a search, what was chosen before, and what each provider has. */
import { InputDialog } from '@jupyterlab/apputils';
import React, { useEffect, useRef, useState } from 'react';

import { useTools } from '../context';
import { BUILT_IN, COMPATIBLE, ModelList, ProviderInfo } from '../../stores/modelChoice';
import { grouped, typed } from '../../stores/modelSearch';
import { ModelInfo } from '../../wire/protocol';
import { Choice, NotInstalled } from './choice';
import { askForKey } from './keys';
import { InstallLine, LOCAL_PACKAGE } from './installLine';
import { InstallLocal } from './localInstall';

/** So many of a provider's models are shown at first: some have hundreds. */
const FIRST = 12;

/** What can be chosen: what is in use and was chosen before, then each provider's models. */
export function Choices(props: {
  list: ModelList;
  onChosen: (id: string | null) => void;
}): JSX.Element {
  const { models, trans } = useTools();
  const { list, onChosen } = props;
  const [search, setSearch] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const content = useRef<HTMLDivElement>(null);
  useEffect(() => field.current?.focus(), []);
  const above = search.trim() ? [] : models.ofLate;
  const isAbove = (model: ModelInfo): boolean => above.some(one => one.id === model.id);
  const groups = grouped(list, search);
  const own = typed(list, search);
  const exact = list.models.some(model => model.id === search.trim());
  const found = groups.flatMap(([, those]) => those).filter(model => model.available);
  const locals = list.models.filter(
    model => model.local && `${model.id} ${model.label}`.toLowerCase().includes(search.toLowerCase())
  );
  const builtIn = locals.find(model => model.id === BUILT_IN && !model.available);
  const missing = list.providers.filter(provider => !provider.installed);
  const step = (event: React.KeyboardEvent): void => {
    const down = event.key === 'ArrowDown';
    if (!down && event.key !== 'ArrowUp') {
      return;
    }
    event.preventDefault();
    const all = [...(content.current as HTMLElement).querySelectorAll<HTMLElement>('input, button')];
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[Math.max(0, Math.min(all.length - 1, at + (down ? 1 : -1)))]?.focus();
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- arrows between its buttons
    <div ref={content} onKeyDown={step}>
      <input
        ref={field}
        className="jp-StopChat-search"
        type="text"
        spellCheck={false}
        value={search}
        placeholder={
          list.any_model ? trans.__('Search or provider:model') : trans.__('Search')
        }
        aria-label={trans.__('Search for a model, or type provider:model')}
        onChange={event => setSearch(event.target.value)}
        onKeyDown={event => {
          const id = exact ? search.trim() : (own ?? [...found, ...locals][0]?.id);
          if (event.key === 'Enter' && !event.nativeEvent.isComposing && search.trim() && id) {
            event.preventDefault();
            onChosen(id);
          }
        }}
      />
      {own && !exact && (
        <ul>
          <li>
            <button type="button" className="jp-StopChat-choice" onClick={() => onChosen(own)}>
              {trans.__('Use %1', own)}
            </button>
          </li>
        </ul>
      )}
      {above.length > 0 && (
        <section>
          <h3>{trans.__('In use and chosen before')}</h3>
          <ul>
            {above.map(model => (
              <Choice key={model.id} model={model} named onChosen={onChosen} />
            ))}
          </ul>
        </section>
      )}
      {groups.map(([provider, those]) => (
        <Group
          key={provider?.name ?? ''}
          provider={provider}
          models={those.filter(model => !isAbove(model))}
          isEmpty={those.length === 0}
          searched={search.trim() !== ''}
          onChosen={onChosen}
        />
      ))}
      {(locals.length > 0 || (list.model_files && !search)) && (
        <section>
          <h3>{trans.__('On the server itself')}</h3>
          <ul>
            {locals.filter(model => !isAbove(model)).map(model => (
              <Choice key={model.id} model={model} onChosen={onChosen} />
            ))}
            {list.model_files && !search && (
              <li>
                <button
                  type="button"
                  className="jp-StopChat-choice"
                  onClick={() => void askForFile(trans).then(id => id && onChosen(id))}
                >
                  {trans.__('A GGUF file…')}
                </button>
              </li>
            )}
          </ul>
          {builtIn?.reason === 'local_model_missing' && <InstallLocal />}
          {builtIn?.reason === 'missing_package' && (
            <div className="jp-StopChat-hint jp-StopChat-notInstalled">
              <p>{trans.__('In a terminal of the server; then start the server again:')}</p>
              <InstallLine label={trans.__('the local model')} what={LOCAL_PACKAGE} />
            </div>
          )}
        </section>
      )}
      {missing.length > 0 && !search && <NotInstalled providers={missing} />}
      {models.getSnapshot().chosen !== null && (
        <button type="button" className="jp-StopChat-action" onClick={() => onChosen(null)}>
          {trans.__('Leave it to the server')}
        </button>
      )}
    </div>
  );
}

function Group(props: {
  provider: ProviderInfo | null;
  models: readonly ModelInfo[];
  /** There is none, also not further up. */
  isEmpty: boolean;
  searched: boolean;
  onChosen: (id: string) => void;
}): JSX.Element {
  const tools = useTools();
  const { models, trans } = tools;
  const { provider } = props;
  const [whole, setWhole] = useState(false);
  const shown = whole || props.searched ? props.models : props.models.slice(0, FIRST);
  const given = provider?.key === 'given';
  const isServer = provider?.name === COMPATIBLE;
  const hints: Record<string, string> = {
    settings: trans.__('set up by who runs this server'),
    environment: trans.__('key from the environment'),
    given: isServer ? (provider?.base_url ?? '') : trans.__('your key')
  };
  return (
    <section>
      <div className="jp-StopChat-provider">
        <h3>{provider ? provider.label : trans.__('More')}</h3>
        {provider?.takes_key && provider.key && <span>{hints[provider.key]}</span>}
        {provider?.may_give && (
          <button
            type="button"
            className="jp-StopChat-action"
            aria-label={
              isServer
                ? trans.__('Set up the OpenAI-compatible server')
                : given
                  ? trans.__('Change the key for %1', provider.label)
                  : trans.__('Add a key for %1', provider.label)
            }
            onClick={({ currentTarget }) => {
              const before = models.getSnapshot().chosen;
              void askForKey(tools, provider).then(given => {
                const { chosen } = models.getSnapshot();
                const isOfServer = isServer && chosen?.startsWith(`${COMPATIBLE}:`);
                const isOpen = given && currentTarget.isConnected; // nobody has gone elsewhere
                if (isOpen && isOfServer && chosen !== null && chosen !== before) {
                  props.onChosen(chosen); // it has one model, so there is nothing to choose
                }
              });
            }}
          >
            {given
              ? trans.__('Change')
              : isServer
                ? trans.__('Set up')
                : trans.__('Add a key')}
          </button>
        )}
        {provider && given && (
          <button
            type="button"
            className="jp-StopChat-action"
            aria-label={trans.__('Remove what was given for %1', provider.label)}
            onClick={() =>
              void (isServer ? models.withdrawAddress() : models.withdrawKey(provider.name))
            }
          >
            {trans.__('Remove')}
          </button>
        )}
      </div>
      <ul>
        {shown.map(model => (
          <Choice key={model.id} model={model} onChosen={props.onChosen} />
        ))}
      </ul>
      {shown.length < props.models.length && (
        <button type="button" className="jp-StopChat-action" onClick={() => setWhole(true)}>
          {trans.__('All %1 models of %2', props.models.length, provider?.label ?? '')}
        </button>
      )}
      {provider?.name === 'ollama' && props.isEmpty && (
        <p className="jp-StopChat-hint">{trans.__('It is not running, or has no models.')}</p>
      )}
      {isServer && given && props.isEmpty && (
        <p className="jp-StopChat-hint">
          {trans.__('It lists no models. Type %1 above.', `${COMPATIBLE}:…`)}
        </p>
      )}
    </section>
  );
}

async function askForFile(
  trans: ReturnType<typeof useTools>['trans']
): Promise<string | null> {
  const answer = await InputDialog.getText({
    title: trans.__('A GGUF file on the server'),
    label: trans.__('Its full path. It needs a chat template.'),
    placeholder: '/models/name.gguf'
  });
  const path = answer.button.accept ? (answer.value ?? '').trim() : '';
  return path ? `local:${path}` : null;
}
