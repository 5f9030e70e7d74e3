/** How wide the sidebar is when the chat is first shown in it. */
import { SplitPanel, Widget } from '@lumino/widgets';

import { rememberWidened, wasWidened } from '../stores/memory';

/** So wide it is made, in pixels: code can be read in it. */
const WIDTH = 350;
/** A page that is narrower than this, in pixels, has no room for that. */
const PAGE = 900;

/**
 * Return the sizes of panels side by side, of which one is made as wide as a chat needs at the
 * cost of the widest; null where it is wide enough.
 *
 * @param sizes the share that each has of `all`.
 * @param all how wide they are together, in pixels.
 */
export function widened(sizes: readonly number[], at: number, all: number): number[] | null {
  const pixels = sizes.map(size => size * all);
  if (pixels[at] >= WIDTH) {
    return null;
  }
  pixels[pixels.indexOf(Math.max(...pixels))] -= WIDTH - pixels[at];
  pixels[at] = WIDTH;
  return pixels;
}

/** Make a sidebar wide enough, the first time that it is shown in this browser. */
export function widenOnce(sidebar: Widget, scope: string): void {
  let widget = sidebar;
  while (widget.parent && !(widget.parent instanceof SplitPanel)) {
    widget = widget.parent;
  }
  const split = widget.parent;
  if (wasWidened(scope) || !(split instanceof SplitPanel)) {
    return;
  }
  // while the page starts, what is laid out is not as wide as it will be
  const observer = new ResizeObserver(() => {
    const all = split.node.clientWidth;
    if (all < PAGE || !sidebar.isVisible) {
      return;
    }
    observer.disconnect();
    rememberWidened(scope);
    const sizes = widened(split.relativeSizes(), split.widgets.indexOf(widget), all);
    if (sizes) {
      split.setRelativeSizes(sizes);
    }
  });
  observer.observe(split.node);
}
