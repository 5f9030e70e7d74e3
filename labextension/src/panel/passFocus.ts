/** Where the focus goes from what is there for a while: Esc must still reach the panel. */
import { RefObject, useLayoutEffect } from 'react';

import { focusInput } from './context';

/** Give the focus to the input when a box goes that has it. */
export function usePassFocus(box: RefObject<HTMLElement>): void {
  useLayoutEffect(() => {
    const node = box.current as HTMLElement;
    return () => {
      if (node.contains(document.activeElement)) {
        focusInput();
      }
    };
  }, [box]);
}

/** Give the focus to the input where nothing has it. */
export function passLostFocus(): void {
  const { activeElement } = document;
  if (activeElement === null || activeElement === document.body) {
    focusInput();
  }
}

/** Give the focus to the input of the panel, unless it is outside all panels by now. */
export function passFocusInside(): void {
  const { activeElement } = document;
  if (activeElement?.closest('.jp-StopChat-panel')) {
    focusInput();
  } else {
    passLostFocus();
  }
}
