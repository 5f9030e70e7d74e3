/** A text box that is as high as its lines. */
import { RefObject, useLayoutEffect } from 'react';

/** The highest that one becomes, in pixels; then it scrolls. */
const HIGHEST = 200;

/** Keep a text box as high as what it holds, up to a bound. */
export function useGrowing(box: RefObject<HTMLTextAreaElement>, text: string): void {
  useLayoutEffect(() => fit(box.current as HTMLTextAreaElement), [box, text]);
  useLayoutEffect(() => {
    // its lines break anew when the panel's width changes, or a button comes beside it
    const element = box.current as HTMLTextAreaElement;
    let width = element.clientWidth;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth !== width) {
        width = element.clientWidth;
        fit(element);
      }
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
}

function fit(element: HTMLTextAreaElement): void {
  const border = element.offsetHeight - element.clientHeight;
  element.style.height = 'auto';
  element.style.height = `${Math.min(element.scrollHeight + border, HIGHEST)}px`;
}
