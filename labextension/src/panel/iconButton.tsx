/** A button that shows an icon and no words. */
import React from 'react';

/** Three dots: what opens a menu. */
export const DOTS =
  'M3 6.7a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6Zm5 0a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6Zm5 0a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6Z';

/** What takes something away. */
export const CROSS = 'm3.6 4.6 1-1L8 7l3.4-3.4 1 1L9 8l3.4 3.4-1 1L8 9l-3.4 3.4-1-1L7 8 3.6 4.6Z';

export function IconButton(props: {
  /** What it is called, for who does not see it. */
  name: string;
  /** What is said of it under the pointer: its name, unless there is more to say. */
  title?: string;
  /** The icon, as the path of an SVG of 16 units. */
  path: string;
  className?: string;
  /** Its width and height, in pixels. */
  size?: number;
  expanded?: boolean;
  hasMenu?: boolean;
  /** It can be reached, and does nothing now. */
  off?: boolean;
  onClick: (button: HTMLElement) => void;
}): JSX.Element {
  const size = props.size ?? 16;
  return (
    <button
      type="button"
      className={['jp-StopChat-iconButton', props.className].filter(Boolean).join(' ')}
      aria-label={props.name}
      title={props.title ?? props.name}
      aria-expanded={props.expanded}
      aria-haspopup={props.hasMenu ? 'menu' : undefined}
      aria-disabled={props.off}
      onClick={event => {
        if (!props.off) {
          props.onClick(event.currentTarget);
        }
      }}
    >
      <svg viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
        <path d={props.path} />
      </svg>
    </button>
  );
}
