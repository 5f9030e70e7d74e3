/** How much of what the model takes is filled, and what was used: quiet, with words on demand. */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useId, useState } from 'react';

import { ContextUse, contextUse, countedAt } from '../../chat/contextUse';
import { visible } from '../../chat/selectors';
import { isTerminal } from '../../wire/guards';
import { SpentToday } from '../../stores/spendingRoutes';
import { useModels, useSnapshot, useTools } from '../context';
import { spentWords, todayWords } from '../money';
import { useToldBesides } from './toldBesides';

/** So much of the first message that the model was told is quoted, in characters. */
const QUOTED = 40;

export function Gauge(): JSX.Element | null {
  const { models, trans, spending } = useTools();
  const { chat, prompt } = useSnapshot();
  useModels();
  const [open, setOpen] = useState(false);
  const [today, setToday] = useState<SpentToday | null>(null);
  const id = useId();
  const spent = chat.chat?.spent;
  const refused = chat.notice?.code === 'budget_spent';
  const sum = (spent?.input_tokens ?? 0) + (spent?.output_tokens ?? 0);
  useEffect(() => {
    if (!open) {
      return undefined;
    }
    let wanted = true;
    spending.today().then(
      found => wanted && setToday(found),
      () => wanted && setToday(null) // it is said without it
    );
    return () => {
      wanted = false;
    };
  }, [open, sum, refused, spending]);

  const model = models.effective;
  const shown = visible(chat);
  const isUsed = shown.some(({ info }) => info.model === model && isTerminal(info.state));
  useEffect(() => {
    if (model && isUsed) {
      models.learnSize(model);
    }
  }, [model, isUsed, models]);
  const most = models.info(model)?.max_input_tokens;
  const isBlank = contextUse(shown, prompt.draft, most).tokens === 0;
  const besides = useToldBesides(!isBlank, countedAt(shown) >= 0, model, open);
  const use = contextUse(shown, prompt.draft, most, besides);
  if (isBlank && !spent && !refused) {
    return null;
  }
  const lines = [
    ...contextWords(trans, use),
    ...(spent ? [trans.__('This chat: %1', spentWords(trans, spent))] : []),
    ...(today ? todayWords(trans, today) : [])
  ];
  return (
    <span
      className="jp-StopChat-gauge"
      data-level={use.level}
      onMouseEnter={() => setOpen(true)}
      onMouseLeave={() => setOpen(false)}
    >
      <button
        type="button"
        aria-label={contextWords(trans, use).join(' ')}
        aria-describedby={open ? id : undefined}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onClick={() => setOpen(true)}
        onKeyDown={event => {
          if (event.key === 'Escape' && open) {
            event.preventDefault(); // it closes this, and stops nothing
            event.stopPropagation();
            setOpen(false);
          }
        }}
      >
        {use.percent !== null && (
          <span className="jp-StopChat-gaugeBar" aria-hidden="true">
            <span style={{ width: `${use.percent}%` }} />
          </span>
        )}
        <span aria-hidden="true">{shortly(trans, use)}</span>
      </button>
      {open && (
        <span className="jp-StopChat-gaugeWords" role="tooltip" id={id}>
          {lines.map(line => (
            <span key={line}>{line}</span>
          ))}
        </span>
      )}
    </span>
  );
}

/** What is there all the time: a share, or a count where no limit is known. */
function shortly(trans: TranslationBundle, use: ContextUse): string {
  const share = use.percent === null ? '' : `${use.percent} %`;
  switch (use.level) {
    case 'full':
      return trans.__('%1 · full', share);
    case 'nearly':
      return trans.__('%1 · nearly full', share);
    default:
      return share || trans.__('%1 tokens', use.tokens.toLocaleString());
  }
}

/** Say how full the model is, what that leads to, and what has been left out. */
export function contextWords(trans: TranslationBundle, use: ContextUse): string[] {
  const tokens = use.tokens.toLocaleString();
  const words = [
    use.most === null
      ? trans.__('The next prompt sends about %1 tokens.', tokens)
      : trans.__(
          'The next prompt sends about %1 of the %2 tokens that the model takes.',
          tokens,
          use.most.toLocaleString()
        )
  ];
  if (use.level === 'nearly') {
    words.push(trans.__('It is nearly full: the oldest messages are soon left out.'));
  } else if (use.level === 'full') {
    words.push(trans.__('It is full: the oldest messages are left out.'));
  }
  if (use.toldFrom) {
    const begin = use.toldFrom.text.replace(/\s+/g, ' ').trim();
    const quote = begin.length > QUOTED ? `${begin.slice(0, QUOTED)}…` : begin;
    words.push(
      trans.__('Last time it was told from “%1” on: what is before is too long for it.', quote)
    );
  }
  return words;
}
