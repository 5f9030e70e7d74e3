/** The model's name below the input, and the list that opens from it. */
import React, { useEffect, useRef, useState } from 'react';

import { focusInput, useModels, useTools } from '../context';
import { BUILT_IN } from '../../stores/modelChoice';
import { Choices } from './choices';
import { useModelName } from './modelName';

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
  const none =
    models.lack === 'local_model_missing' || // as the card above the input says
    (models.lack === 'missing_package' && effective === BUILT_IN);
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
                void models.choose(id);
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
