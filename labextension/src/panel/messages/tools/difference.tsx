/** What a tool changes in documents, as it is read: lines that go, and lines that come. */
import React, { useMemo, useRef, useState } from 'react';

import { changeWords } from './callWords';
import { RunCode } from './runCode';
import { useTools } from '../../context';
import { Change } from '../../../stores/agent/toolRoutes';
import { lineDifference } from '../../../text/lineDifference';

/** More lines are shown at a click. */
const SHOWN = 300;

export function Differences(props: { changes: readonly Change[] }): JSX.Element {
  return (
    <>
      {props.changes.map((change, at) => (
        <Difference key={at} change={change} />
      ))}
    </>
  );
}

function Difference(props: { change: Change }): JSX.Element {
  const { agent, trans } = useTools();
  const [all, setAll] = useState(false);
  const [lost, setLost] = useState(false);
  const { change } = props;
  const { path, cell_id, action, before = null, after = null } = change;
  const group = useRef<HTMLDivElement>(null);
  const name = changeWords(trans, change, agent.indexOf(path, cell_id ?? ''));
  // the question is drawn anew at each key and each word of the reply
  const lines = useMemo(
    () =>
      action === 'move' || action === 'run' ? [] : lineDifference(...withoutEnds(before, after)),
    [action, before, after]
  );
  const shown = all ? lines : lines.slice(0, SHOWN);
  const left = lines.length - shown.length;
  return (
    <div className="jp-StopChat-difference">
      <div className="jp-StopChat-differenceHead">
        <span>{name}</span>
        {action !== 'delete' && cell_id && (
          <button
            type="button"
            className="jp-StopChat-action"
            aria-label={trans.__('Show the cell: %1', name)}
            onClick={() => void agent.show(path, cell_id).then(isThere => setLost(!isThere))}
          >
            {trans.__('Show the cell')}
          </button>
        )}
        {action === 'write' && before !== null && (
          <button
            type="button"
            className="jp-StopChat-action"
            aria-label={trans.__('Open the file: %1', name)}
            onClick={() => void agent.show(path, null).then(isThere => setLost(!isThere))}
          >
            {trans.__('Open the file')}
          </button>
        )}
      </div>
      {lost && (
        <div className="jp-StopChat-differenceNote" role="status">
          {action === 'write'
            ? trans.__('The file is not there (any more).')
            : trans.__('The cell is not there (any more).')}
        </div>
      )}
      {action === 'run' && (
        <RunCode code={before ?? ''} language={agent.languageOf(path)} name={name} />
      )}
      {shown.length > 0 && (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
        <div className="jp-StopChat-lines" role="group" aria-label={name} tabIndex={0} ref={group}>
          {shown.map(({ kind, text }, at) =>
            kind === 'gap' ? (
              <div key={at} data-kind="gap">
                {trans._n('%1 line is the same', '%1 lines are the same', Number(text))}
              </div>
            ) : (
              <LineOf key={at} kind={kind} text={text} />
            )
          )}
        </div>
      )}
      {left > 0 && (
        <button
          type="button"
          className="jp-StopChat-action"
          onClick={() => {
            setAll(true);
            group.current?.focus({ preventScroll: true }); // the button goes away
          }}
        >
          {trans._n('Show %1 more line', 'Show %1 more lines', left)}
        </button>
      )}
    </div>
  );
}

/** Leave out the ends of the last lines where that changes nothing: no empty line is behind them. */
function withoutEnds(...texts: [string | null, string | null]): [string | null, string | null] {
  const isEnded = texts.every(text => text === null || text.endsWith('\n'));
  const [before, after] = isEnded ? texts.map(text => text?.slice(0, -1) ?? null) : texts;
  return [before, after];
}

/** One line: what goes and what comes is told by its element, and not by its colour alone. */
function LineOf(props: { kind: 'same' | 'gone' | 'new'; text: string }): JSX.Element {
  const { kind, text } = props;
  const line = text || '\u200b'; // an empty line has a height
  if (kind === 'gone') {
    return <del data-kind={kind}>{line}</del>;
  }
  return kind === 'new' ? <ins data-kind={kind}>{line}</ins> : <div data-kind={kind}>{line}</div>;
}
