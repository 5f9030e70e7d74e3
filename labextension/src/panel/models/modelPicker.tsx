/** The model's name below the input, and the list that opens from it. */
import { InputDialog } from '@jupyterlab/apputils';
import React, { useEffect, useRef, useState } from 'react';

import { focusInput, useModels, useTools } from '../context';
import { askForAddress, askForKey } from './keys';
import { InstallLocal } from './localInstall';
import { BUILT_IN, COMPATIBLE, grouped, ModelList, ProviderInfo, typed } from '../../stores/modelChoice';
import { useModelName } from './modelName';
import { ModelInfo } from '../../wire/protocol';

export function ModelPicker(): JSX.Element {
  const { models, trans } = useTools();
  const state = useModels();
  const name = useModelName();
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) {
      return undefined;
    }
    void models.load();
    const node = root.current as HTMLDivElement;
    const onPointerDown = (event: PointerEvent): void => {
      const { target } = event;
      const inside = target instanceof Element && target.closest('.jp-Dialog');
      if (!inside && !node.contains(target as Node)) {
        setOpen(false);
      }
    };
    // before the panel's own handler, for which Esc means stop
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.isComposing) {
        event.preventDefault();
        event.stopPropagation();
        setOpen(false);
        node.querySelector<HTMLElement>('.jp-StopChat-model')?.focus();
      }
    };
    document.addEventListener('pointerdown', onPointerDown, true);
    node.addEventListener('keydown', onKeyDown);
    return () => {
      document.removeEventListener('pointerdown', onPointerDown, true);
      node.removeEventListener('keydown', onKeyDown);
    };
  }, [open, models]);
  const effective = models.effective;
  // its room is there from the start, so that the button does not move when it comes
  const none = models.lack === 'local_model_missing'; // as the card above the input says
  const label = none ? trans.__('No model yet') : name(effective) || '\u00a0';
  if (state.list?.locked) {
    return (
      <div className="jp-StopChat-model" title={trans.__('Set by who runs this server')}>
        {label}
      </div>
    );
  }
  return (
    <div className="jp-StopChat-picker" ref={root}>
      <button
        type="button"
        className="jp-StopChat-model"
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={trans.__('Model: %1', label)}
        title={effective ?? undefined}
        onClick={() => setOpen(!open)}
      >
        <span>{label}</span>
        <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
          <path d="M3.8 5.6 8 9.8l4.2-4.2 1 1L8 11.8 2.8 6.6Z" />
        </svg>
      </button>
      {open && (
        <div className="jp-StopChat-models" role="dialog" aria-label={trans.__('Models')}>
          {state.failure && <p role="alert">{state.failure}</p>}
          {state.list ? (
            <Choices
              list={state.list}
              onChosen={id => {
                models.choose(id);
                setOpen(false);
                focusInput();
              }}
            />
          ) : (
            !state.failure && <p>{trans.__('Looking for models…')}</p>
          )}
        </div>
      )}
    </div>
  );
}

function Choices(props: { list: ModelList; onChosen: (id: string | null) => void }): JSX.Element {
  const { models, trans } = useTools();
  const { list, onChosen } = props;
  const [search, setSearch] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const content = useRef<HTMLDivElement>(null);
  useEffect(() => field.current?.focus(), []);
  const groups = grouped(list, search);
  const own = typed(list, search);
  const exact = list.models.some(model => model.id === search.trim());
  const found = groups.flatMap(([, those]) => those).filter(model => model.available);
  const locals = list.models.filter(
    model => model.local && `${model.id} ${model.label}`.toLowerCase().includes(search.toLowerCase())
  );
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
      {groups.map(([provider, those]) => (
        <Group key={provider?.name ?? ''} provider={provider} models={those} onChosen={onChosen} />
      ))}
      {(locals.length > 0 || (list.model_files && !search)) && (
        <section>
          <h3>{trans.__('On the server itself')}</h3>
          <ul>
            {locals.map(model => (
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
          {locals.some(model => model.id === BUILT_IN && !model.available) && <InstallLocal />}
        </section>
      )}
      {missing.length > 0 && !search && (
        <p className="jp-StopChat-hint">
          {trans.__(
            'Not installed on the server: %1.',
            missing.map(provider => provider.label).join(', ')
          )}
        </p>
      )}
      {models.wanted !== null && (
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
  onChosen: (id: string) => void;
}): JSX.Element {
  const { models, trans } = useTools();
  const { provider } = props;
  const given = provider?.key === 'given';
  const isServer = provider?.name === COMPATIBLE;
  const change = (what: ProviderInfo): void =>
    void (isServer ? askForAddress(models, what, trans) : askForKey(models, what, trans));
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
            onClick={() => change(provider)}
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
        {props.models.map(model => (
          <Choice key={model.id} model={model} onChosen={props.onChosen} />
        ))}
      </ul>
      {provider?.name === 'ollama' && props.models.length === 0 && (
        <p className="jp-StopChat-hint">{trans.__('It is not running, or has no models.')}</p>
      )}
      {isServer && given && props.models.length === 0 && (
        <p className="jp-StopChat-hint">
          {trans.__('It lists no models. Type %1 above.', `${COMPATIBLE}:…`)}
        </p>
      )}
    </section>
  );
}

function Choice(props: { model: ModelInfo; onChosen: (id: string) => void }): JSX.Element {
  const { models } = useTools();
  const name = useModelName();
  const { model, onChosen } = props;
  return (
    <li>
      <button
        type="button"
        className="jp-StopChat-choice"
        aria-current={models.effective === model.id ? 'true' : undefined}
        aria-disabled={!model.available}
        title={model.id}
        onClick={() => model.available && onChosen(model.id)}
      >
        {model.local ? name(model.id) : model.id.slice(model.id.indexOf(':') + 1)}
      </button>
    </li>
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
