/** How long after the start the Launcher may still open, in milliseconds. */
const WINDOW = 10000;

/**
 * Put the caret into the chat that opens with JupyterLab, also when the Launcher opens after it.
 *
 * It ends when the person goes elsewhere: from then on the focus is theirs. Whoever is already
 * typing in the chat keeps the caret, or their Esc would go to the Launcher and stop nothing.
 *
 * @param panel - The chat's panel.
 * @param focus - Puts the caret into its input.
 */
export function keepFocusAtStart(panel: HTMLElement, focus: () => void): void {
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
    document.removeEventListener('keydown', onUse, true);
    document.removeEventListener('pointerdown', onUse, true);
  };
  const onUse = (event: KeyboardEvent | MouseEvent): void => {
    const isShortcut = event.ctrlKey || event.metaKey || event.altKey; // it may lead elsewhere
    if (isShortcut || !panel.contains(event.target as Node | null)) {
      end();
    }
  };
  document.addEventListener('focusin', onFocus, true);
  document.addEventListener('keydown', onUse, true);
  document.addEventListener('pointerdown', onUse, true);
  setTimeout(end, WINDOW);
  focus();
}
