/** A reply as it is read: its words as they grow, and the tools that were called between them. */
import React, { useEffect, useMemo, useRef } from 'react';

import { useTools } from '../context';
import { ToolLine } from './tools/toolLine';
import { hasText, MessageView } from '../../chat/messages';
import { partsOf } from '../../chat/tools/parts';
import { LiveBody } from '../../text/body';
import { isTerminal } from '../../wire/guards';

interface ReplyTextProps {
  view: MessageView;
  onRendered: () => void;
  /** Called when the words are on the page. */
  onDrawn: (messageId: string) => void;
}

/** The live bodies of a reply's texts, by where they begin. */
type Bodies = Map<number, LiveBody>;

export function ReplyText(props: ReplyTextProps): JSX.Element {
  const { view } = props;
  const { controller } = useTools();
  const calls = view.info.tools;
  const parts = useMemo(() => partsOf(view.text.length, calls ?? []), [view.text.length, calls]);
  const bodies = useRef<Bodies>(new Map());
  const shown = useRef(parts);
  shown.current = parts;
  useEffect(
    () =>
      controller.reportShown(view.id, () => {
        // up to the first that is not all on the page
        let end = 0;
        for (const part of shown.current) {
          if (part.kind === 'text') {
            const drawn = bodies.current.get(part.from)?.shown ?? 0;
            end = part.from + Math.min(drawn, part.to - part.from);
            if (end < part.to) {
              return end;
            }
          }
        }
        return end;
      }),
    [view.id, controller]
  );
  const stopped = view.frozen || isTerminal(view.info.state);
  const lacking = new Set(
    (view.info.left_out ?? []).filter(one => one.part.startsWith('tool')).map(one => one.at)
  );
  return (
    <>
      {parts.map((part, at) =>
        part.kind === 'text' ? (
          <Body
            key={`text ${part.from}`}
            {...props}
            bodies={bodies.current}
            from={part.from}
            to={part.to}
            last={at === parts.length - 1}
          />
        ) : (
          <div key={`tools ${part.at}`} className="jp-StopChat-tools">
            {part.calls.map(call => (
              <ToolLine
                key={call.call_id}
                messageId={view.id}
                call={call}
                stopped={stopped}
                lacks={lacking.has((calls ?? []).indexOf(call))}
              />
            ))}
          </div>
        )
      )}
    </>
  );
}

function Body(
  props: ReplyTextProps & { bodies: Bodies; from: number; to: number; last: boolean }
): JSX.Element {
  const { view, onRendered, onDrawn, bodies, from, to, last } = props;
  const { render, schedule } = useTools();
  const host = useRef<HTMLDivElement>(null);
  const body = useRef<LiveBody | null>(null);
  const text = view.text.slice(from, to);
  const done = !last || (isTerminal(view.info.state) && hasText(view));
  const cut = last && view.info.state !== 'completed';
  useEffect(() => {
    const live = new LiveBody(host.current as HTMLDivElement, {
      render,
      growCode: render.growCode,
      schedule,
      now: () => performance.now(),
      onRendered: () => {
        onRendered();
        onDrawn(view.id);
      }
    });
    body.current = live;
    bodies.set(from, live);
    return () => {
      bodies.delete(from);
      live.dispose();
    };
  }, [view.id, bodies, from, render, schedule, onRendered, onDrawn]);
  useEffect(() => {
    body.current?.update(text, done, cut);
  }, [text, done, cut, view.id, bodies, from, render, schedule, onRendered, onDrawn]);
  return <div className="jp-StopChat-body" ref={host} />;
}
