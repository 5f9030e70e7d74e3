/** The question of a tool, in the reply: Enter allows it once, Esc refuses it and stops nothing. */
import React, { useEffect, useId, useLayoutEffect, useRef, useState } from 'react';

import { callWords } from './callWords';
import { Differences } from './difference';
import { useDetails } from './useDetails';
import { focusInput, useSnapshot, useTools } from '../../context';
import { LongText } from '../../longText';
import { callKey } from '../../../chat/tools/approving';
import { Change } from '../../../stores/agent/toolRoutes';
import { Approve, ToolCall } from '../../../wire/protocol';

/** For so long nothing is taken for an answer, in milliseconds: it was meant for something else. */
const GUARD = 400;

export function Approval(props: { messageId: string; call: ToolCall }): JSX.Element {
  const { messageId, call } = props;
  const { agent, controller, trans } = useTools();
  const { answers, lost } = useSnapshot();
  const [reason, setReason] = useState('');
  // also while another question is answered, and goes: this one moves under the pointer
  const isReady = useGuard(answers);
  const box = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const title = useId();
  const { approval } = call;
  const [read, readAgain] = useDetails(messageId, call.call_id, true, approval?.digest ?? '');
  const sent = answers[callKey(messageId, call.call_id)];
  useEffect(() => takeFocus(box.current as HTMLDivElement), []);
  useLayoutEffect(() => {
    const node = box.current as HTMLDivElement;
    // it goes by Stop, or by an answer from elsewhere
    return () => {
      if (holdsFocus(node)) {
        passFocus(node);
      }
    };
  }, []);
  useLayoutEffect(() => {
    const node = box.current as HTMLDivElement;
    if (!isReady && node !== document.activeElement && holdsFocus(node) && !isField(field.current)) {
      node.focus(); // its button cannot have it for now
    }
  }, [isReady]);
  const answer = (how: Approve['answer']): void => {
    if (isReady && !sent) {
      controller.approving.answer(messageId, call, how, how === 'refuse' ? reason : '');
      passFocus(box.current as HTMLDivElement);
    }
  };
  // where the server tells nothing of it: what the call itself shows may be cut
  const details = read ?? 'failed';
  const known = typeof details === 'object' ? details : null;
  const args = known?.args;
  const changes = known?.proposed ?? [];
  // what was not seen is not allowed
  const isSeen = known !== null;
  const off = !isReady || sent !== undefined;
  const button = (how: Approve['answer'], label: string, hint: string): JSX.Element => (
    <button
      type="button"
      data-answer={how}
      title={hint}
      disabled={off || (how !== 'refuse' && !isSeen)}
      onClick={() => answer(how)}
    >
      {label}
    </button>
  );
  return (
    // Enter and Esc, wherever in it the focus is
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- see above
    <div
      className="jp-StopChat-approval"
      role="group"
      aria-labelledby={title}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- its keys are for all of it
      tabIndex={0}
      ref={box}
      data-sent={sent !== undefined}
      data-ready={isReady && isSeen}
      onKeyDown={event => {
        if (event.nativeEvent.isComposing || event.shiftKey) {
          return; // Shift and Esc stop everything
        }
        // a key that is held down was pressed for what was here before
        if (event.key === 'Escape') {
          event.preventDefault(); // this Esc is not for Stop
          event.stopPropagation();
          if (!event.repeat) {
            answer('refuse');
          }
        } else if (event.target === box.current && event.key === 'Enter') {
          event.preventDefault();
          if (isSeen && !event.repeat) {
            answer('once');
          }
        } else if (event.target === box.current && isLetter(event)) {
          field.current?.focus(); // what is typed is a reason, and never an Enter that allows
        }
      }}
    >
      <div className="jp-StopChat-approvalTitle" id={title}>
        {questionOf(trans, call, agent.indexOf)}
      </div>
      {details === 'loading' && (
        <div className="jp-StopChat-differenceNote">{trans.__('Loading…')}</div>
      )}
      {details === 'failed' && (
        <div className="jp-StopChat-differenceNote" role="alert">
          {trans.__('What it would do could not be loaded.')}{' '}
          <button
            type="button"
            className="jp-StopChat-action"
            onClick={() => {
              readAgain();
              box.current?.focus(); // the button goes away
            }}
          >
            {trans.__('Retry')}
          </button>
        </div>
      )}
      {changes.length > 0 ? (
        <Differences changes={changes} />
      ) : (
        isSeen && args && <LongText name={trans.__('Arguments')} text={args} whole />
      )}
      {call.touches === 'runs' && <p>{rightsWords(trans, changes)}</p>}
      {approval && !approval.by_rule && (
        <p>{trans.__('This is asked for each time, whatever you have allowed.')}</p>
      )}
      <div className="jp-StopChat-approvalRow">
        {button('once', trans.__('Allow'), trans.__('Allow it this once (Enter)'))}
        {button('refuse', trans.__('Refuse'), trans.__('Refuse it; the reply goes on (Esc)'))}
        {approval?.by_rule && (
          <>
            {button(
              'chat',
              trans.__('Always in this chat'),
              trans.__('Allow this tool in this chat without asking')
            )}
            {button(
              'always',
              trans.__('Always'),
              trans.__('Allow this tool in all your chats without asking')
            )}
          </>
        )}
      </div>
      <input
        type="text"
        ref={field}
        className="jp-StopChat-reason"
        value={reason}
        maxLength={2000}
        disabled={sent !== undefined}
        placeholder={trans.__('Or say what to do instead…')}
        aria-label={trans.__('Refuse, and tell the model why')}
        onChange={event => setReason(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Enter' && !event.nativeEvent.isComposing && reason.trim()) {
            event.preventDefault();
            answer('refuse');
          }
        }}
      />
      <div className="jp-StopChat-differenceNote" role="status">
        {sent && (lost ? trans.__('Waiting for the connection') : trans.__('Your answer is sent…'))}
      </div>
    </div>
  );
}

/** Say with whose rights something acts. */
function rightsWords(trans: ReturnType<typeof useTools>['trans'], changes: readonly Change[]): string {
  return changes.length > 0 && changes.every(one => one.action === 'write')
    ? trans.__('Whatever opens or runs this file later does it with your rights.')
    : trans.__(
        'It runs with your rights, and so does what a cell shows, such as HTML and JavaScript.'
      );
}

function questionOf(
  trans: ReturnType<typeof useTools>['trans'],
  call: ToolCall,
  indexOf: Parameters<typeof callWords>[2]
): string {
  const words = callWords(trans, call, indexOf);
  return words === null ? trans.__('Use the tool “%1”?', call.name) : trans.__('%1?', words);
}

/**
 * Return whether it has been there for long enough to be answered.
 *
 * @param since another one begins the time anew.
 */
function useGuard(since: unknown): boolean {
  const [ready, setReady] = useState<unknown>(null);
  useEffect(() => {
    const timer = setTimeout(() => setReady(since), GUARD);
    return () => clearTimeout(timer);
  }, [since]);
  return ready === since;
}

const isLetter = ({ key, ctrlKey, altKey, metaKey }: React.KeyboardEvent): boolean =>
  key.length === 1 && key !== ' ' && !ctrlKey && !altKey && !metaKey;

/** Have the focus where nothing is being written: the person waits in the chat. */
function takeFocus(box: HTMLElement): void {
  const { activeElement } = document;
  const isMine = activeElement && box.closest('.jp-StopChat-panel')?.contains(activeElement);
  const isWriting = activeElement instanceof HTMLTextAreaElement && activeElement.value !== '';
  const isOther = activeElement?.closest('.jp-StopChat-approval, .jp-StopChat-editor, .jp-StopChat-models');
  if (isMine && !isWriting && !isOther) {
    box.focus({ preventScroll: true });
  }
}

const isField = (field: HTMLElement | null): boolean => field === document.activeElement;
const holdsFocus = (box: HTMLElement): boolean => box.contains(document.activeElement);

/** Give the focus to the next question, else to the input. */
function passFocus(box: HTMLElement): void {
  const panel = box.closest('.jp-StopChat-panel');
  const others = [...(panel?.querySelectorAll<HTMLElement>('.jp-StopChat-approval') ?? [])];
  const next = others.find(one => one !== box && one.dataset.sent !== 'true');
  if (next) {
    next.focus();
  } else {
    focusInput();
  }
}
