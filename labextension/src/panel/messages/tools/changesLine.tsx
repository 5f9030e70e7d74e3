/** The line below a reply that changed something: taking it back, and making it again. */
import React, { useEffect, useRef, useState } from 'react';

import { useTools } from '../../context';
import { MessageView } from '../../../chat/messages';
import { Came, Counted } from '../../../stores/agent/toolRoutes';
import { isTerminal } from '../../../wire/guards';

/** How it went, and which way. */
interface Done {
  readonly undone: boolean;
  readonly came: Came;
}

export function ChangesLine(props: { view: MessageView; onRendered: () => void }): JSX.Element | null {
  const { agent, trans } = useTools();
  const { view, onRendered } = props;
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState<Done | null>(null);
  const [failure, setFailure] = useState('');
  const { changes, state } = view.info;
  const isThere = useIsThere();
  useEffect(onRendered, [changes, done, failure, onRendered]);
  if (!changes || changes.cells + changes.files === 0 || !isTerminal(state)) {
    return null;
  }
  const { undone } = changes;
  const move = async (): Promise<void> => {
    setBusy(true);
    setFailure('');
    setDone(null);
    try {
      const came = await agent.move(view.id, !undone);
      if (isThere()) {
        setDone({ undone: !undone, came });
      }
    } catch (error) {
      if (isThere()) {
        setFailure(error instanceof Error ? error.message : '');
      }
    } finally {
      if (isThere()) {
        setBusy(false);
      }
    }
  };
  const counted = countWords(trans, changes);
  return (
    <div className="jp-StopChat-changesLine" data-undone={undone}>
      <button
        type="button"
        className="jp-StopChat-action"
        aria-disabled={busy}
        title={changes.cells > 0 ? trans.__('Outputs, and what the kernel holds, stay as they are.') : undefined}
        onClick={() => busy || void move()}
      >
        {undone ? trans.__('Redo changes (%1)', counted) : trans.__('Undo changes (%1)', counted)}
      </button>
      <span role="status">
        {busy && trans.__('Working…')}
        {done && cameWords(trans, done)}
      </span>
      {done?.came.left.map(({ path, cellId, index, why }, at) => (
        <button
          key={at}
          type="button"
          className="jp-StopChat-action"
          disabled={cellId === null ? why === 'gone' : index < 0}
          onClick={() => void agent.show(path, cellId)}
        >
          {index < 0
            ? (path.split('/').pop() ?? path)
            : trans.__('Cell %1 of %2', index + 1, path.split('/').pop() ?? path)}
        </button>
      ))}
      {failure && (
        <span role="alert">
          {undone ? trans.__('Not made again: %1', failure) : trans.__('Not taken back: %1', failure)}
        </span>
      )}
    </div>
  );
}

type Trans = ReturnType<typeof useTools>['trans'];

/** Say what became of it. */
function cameWords(trans: Trans, { undone, came }: Done): string {
  const { putBack, merged, left } = came;
  const [isPut, isMerged] = [putBack, merged].map(({ cells, files }) => cells + files);
  const words = [
    isPut > 0 &&
      (undone
        ? trans.__('%1 put back.', countWords(trans, putBack))
        : trans.__('%1 changed again.', countWords(trans, putBack))),
    isMerged > 0 &&
      trans._n(
        '%2 keeps what was written in it since.',
        '%2 keep what was written in them since.',
        isMerged,
        countWords(trans, merged)
      ),
    undone && left.length === 0 && putBack.cells + merged.cells > 0 && trans.__('Outputs and the kernel’s state are not undone.'),
    left.length > 0 && `${leftWords(trans, left[0].why)}:`
  ];
  return words.filter(Boolean).join(' ');
}

/** Count in words, as in “2 cells, 1 file”. */
function countWords(trans: Trans, { cells, files }: Counted): string {
  const words = [
    cells > 0 && trans._n('%1 cell', '%1 cells', cells),
    files > 0 && trans._n('%1 file', '%1 files', files)
  ];
  return words.filter(Boolean).join(', ');
}

function leftWords(trans: Trans, why: string): string {
  switch (why) {
    case 'changed':
      return trans.__('Left alone, as it was changed since');
    case 'gone':
      return trans.__('Left alone, as it is gone');
    case 'neighbours':
      return trans.__('Left where it is, as its neighbours have moved');
    case 'not_open':
      return trans.__('Left alone, as it cannot be opened here');
    case 'not_saved':
      return trans.__('Left to you, as it could not be saved');
    case 'read_only':
      return trans.__('Left alone, as it may not be changed');
    default:
      return trans.__('Left alone');
  }
}

/** Return what tells whether the line is still on the page. */
function useIsThere(): () => boolean {
  const there = useRef(true);
  useEffect(() => {
    there.current = true;
    return () => {
      there.current = false;
    };
  }, []);
  return () => there.current;
}
