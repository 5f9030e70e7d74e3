/** The prompts that wait, above the input: changed, put in order, taken out, sent next. */
import React, { useState } from 'react';

import { focusInput, useSnapshot, useTools } from '../context';
import { IconButton } from '../iconButton';
import { MessageView } from '../../chat/messages';
import { PromptEditor } from '../messages/promptEditor';
import { isPaused, queued } from '../../chat/selectors';

export function Queue(): JSX.Element | null {
  const { controller, trans } = useTools();
  const { chat } = useSnapshot();
  const waiting = queued(chat);
  if (waiting.length === 0) {
    return null;
  }
  const paused = isPaused(chat);
  return (
    <section className="jp-StopChat-queue" aria-label={trans.__('Queued prompts')}>
      <div className="jp-StopChat-queueTitle">
        <span>{paused ? trans.__('Queue, paused') : trans.__('Queue')}</span>
        {paused && (
          <button
            type="button"
            className="jp-StopChat-action jp-StopChat-resume"
            onClick={() => {
              controller.queue.resume();
              focusInput();
            }}
          >
            {trans.__('Send next')}
          </button>
        )}
      </div>
      <ol>
        {waiting.map((reply, at) => (
          <QueuedPrompt
            key={reply.id}
            reply={reply}
            prompt={chat.messages.find(view => view.id === reply.info.reply_to)}
            isFirst={at === 0}
            isLast={at === waiting.length - 1}
          />
        ))}
      </ol>
    </section>
  );
}

function QueuedPrompt(props: {
  reply: MessageView;
  prompt: MessageView | undefined;
  isFirst: boolean;
  isLast: boolean;
}): JSX.Element {
  const { controller, trans } = useTools();
  const { reply, prompt, isFirst, isLast } = props;
  const words = prompt?.text ?? '';
  const names = (prompt?.info.attachments ?? []).map(one => one.name).join(', ');
  const text = words.trim() ? words : names; // a picture may go without words
  const attached = prompt?.info.attachments.length ?? 0;
  const [editing, setEditing] = useState(false);
  if (editing) {
    return (
      <li className="jp-StopChat-queued" data-message-id={reply.id}>
        <PromptEditor
          text={words}
          save={trans.__('Save')}
          attachments={prompt?.info.attachments}
          onLost={words => controller.giveBack(words)}
          onEnd={(body, keeps) => {
            const isSame = body === null || (body === words && !keeps);
            if (isSame || controller.queue.edit(reply.id, body, keeps)) {
              setEditing(false);
              focusInput();
            }
          }}
        />
      </li>
    );
  }
  const actions: [string, string, boolean, () => void][] = [
    [
      trans.__('Send sooner'),
      'M8 3.5 3.5 8l1 1L7.3 6.2V13h1.4V6.2L11.5 9l1-1L8 3.5Z',
      isFirst,
      () => controller.queue.move(reply.id, -1)
    ],
    [
      trans.__('Send later'),
      'M8 12.5 12.5 8l-1-1-2.8 2.8V3H7.3v6.8L4.5 7l-1 1L8 12.5Z',
      isLast,
      () => controller.queue.move(reply.id, 1)
    ],
    [
      trans.__('Edit'),
      'M11.2 2.3 13.7 4.8 5.5 13H3v-2.5l8.2-8.2Zm0 1.9L4.3 11.1v.6h.6l6.9-6.9-.6-.6Z',
      false,
      () => {
        const whole = prompt ? controller.whole(prompt.id) : Promise.resolve(null);
        void whole.then(view => setEditing(view !== null));
      }
    ],
    [
      trans.__('Remove'),
      'M4.4 3.4 8 7l3.6-3.6 1 1L9 8l3.6 3.6-1 1L8 9l-3.6 3.6-1-1L7 8 3.4 4.4l1-1Z',
      false,
      () => {
        controller.queue.remove(reply.id);
        focusInput();
      }
    ]
  ];
  return (
    <li className="jp-StopChat-queued" data-message-id={reply.id}>
      <span className="jp-StopChat-queuedText" title={text}>
        {text}
      </span>
      {attached > 0 && (
        <span className="jp-StopChat-queuedAttached">
          {trans._n('%1 attachment', '%1 attachments', attached)}
        </span>
      )}
      {actions.map(([name, path, off, act]) => (
        <IconButton
          key={name}
          name={trans.__('%1: %2', name, text.slice(0, 60))}
          title={name}
          path={path}
          size={14}
          off={off}
          onClick={act}
        />
      ))}
    </li>
  );
}
