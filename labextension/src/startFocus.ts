/** So long after the start, in milliseconds, the Launcher may still open. */
const WINDOW = 10000;

/**
 * Put the caret into the chat that opens with JupyterLab, also when the Launcher opens after it.
 *
 * It ends at the person's first key or press: from then on the focus is theirs.
 */
export function keepFocusAtStart(focus: () => void): void {
  const isLauncher = (node: Element | null): boolean => node?.closest('.jp-Launcher') != null;
  const onFocus = (event: FocusEvent): void => {
    if (isLauncher(event.target as Element | null)) {
      setTimeout(() => {
        // after what else is done for the widget that has just become the current one
        if (!ended && isLauncher(document.activeElement)) {
          focus();
        }
      });
    }
  };
  let ended = false;
  const end = (): void => {
    ended = true;
    document.removeEventListener('focusin', onFocus, true);
    document.removeEventListener('keydown', end, true);
    document.removeEventListener('pointerdown', end, true);
  };
  document.addEventListener('focusin', onFocus, true);
  document.addEventListener('keydown', end, true);
  document.addEventListener('pointerdown', end, true);
  setTimeout(end, WINDOW);
  focus();
}
