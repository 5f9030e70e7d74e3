/** What stands where a part of a message is not here yet. */
import React, { useEffect, useRef } from 'react';

import { useTools } from '../context';

/** How near to the view a text is read, so that it is there when it comes into view. */
const NEAR = '1000px 0px';

/** Say that text is missing, and read it as soon as this comes near the view. */
export function MissingText(props: { messageId: string }): JSX.Element {
  const { controller, trans } = useTools();
  const { messageId } = props;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let unwant: (() => void) | null = null;
    const root = (place.current as HTMLDivElement).closest('.jp-StopChat-list');
    const observer = new IntersectionObserver(
      entries => {
        unwant?.();
        const isNear = entries[entries.length - 1].isIntersecting;
        unwant = isNear ? controller.want(messageId) : null;
      },
      { root, rootMargin: NEAR }
    );
    observer.observe(place.current as HTMLDivElement);
    return () => {
      observer.disconnect();
      unwant?.();
    };
  }, [controller, messageId]);
  return (
    <div className="jp-StopChat-missing" ref={place}>
      {trans.__('The rest of this message is being loaded…')}
    </div>
  );
}

/** Say that what was unfolded is being loaded, and read it. */
export function MissingDetails(props: { messageId: string }): JSX.Element {
  const { controller, trans } = useTools();
  const { messageId } = props;
  useEffect(() => controller.want(messageId, true), [controller, messageId]);
  return <div className="jp-StopChat-missing">{trans.__('Loading…')}</div>;
}

/** Details whose text is read when they are unfolded. */
export function Unfolding(props: {
  messageId: string;
  className: string;
  summary: string;
  /** Some of it is not here. */
  lacks: boolean;
  children: React.ReactNode;
}): JSX.Element {
  const [open, setOpen] = React.useState(false);
  const { messageId, className, summary, lacks, children } = props;
  return (
    <details className={className} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {children}
      {open && lacks && <MissingDetails messageId={messageId} />}
    </details>
  );
}
