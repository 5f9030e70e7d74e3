/** How long after a shortcut a Launcher is what it asked for, in milliseconds. */
const ASKED = 1000;
/** What opens from the chat, and is no part of it. */
const IN_FRONT = '.lm-Menu, .jp-Dialog';

/**
 * Give the focus back to the chat whenever a Launcher takes it that nobody asked for.
 *
 * JupyterLab opens one by itself where the main area is empty: at the start only once the files
 * are listed, seconds after the chat can be used. Whoever is typing by then would type on into
 * nothing, and their Esc would stop nothing. A press outside the chat may ask for one, and a
 * shortcut.
 *
 * @param panel - The chat's panel.
 * @param focusInput - Puts the caret into its input, where what had the focus is gone.
 */
export function keepFocusFromLauncher(panel: HTMLElement, focusInput: () => void): void {
  const within = (node: EventTarget | null, selector: string): boolean =>
    node instanceof Element && node.closest(selector) !== null;
  const inPanel = (node: EventTarget | null): boolean => panel.contains(node as Node | null);
  /** The person is in the chat, or in what they opened from it. */
  let isHere = false;
  let shortcut: KeyboardEvent | null = null;
  const wasAskedFor = (now: number): boolean =>
    shortcut !== null && shortcut.defaultPrevented && now - shortcut.timeStamp < ASKED;
  const onFocus = (event: FocusEvent): void => {
    const { target, relatedTarget, timeStamp } = event;
    if (within(target, IN_FRONT)) {
      return;
    }
    if (!isHere || !within(target, '.jp-Launcher') || wasAskedFor(timeStamp)) {
      isHere = inPanel(target);
      return;
    }
    setTimeout(() => {
      // after what else is done for the widget that has just become the current one
      if (isHere && within(document.activeElement, '.jp-Launcher')) {
        (relatedTarget as HTMLElement | null)?.focus();
        if (within(document.activeElement, '.jp-Launcher')) {
          focusInput();
        }
      }
    });
  };
  const onPress = ({ target }: PointerEvent): void => {
    if (!within(target, IN_FRONT)) {
      isHere = inPanel(target);
    }
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      shortcut = event; // whether it is one is known once all have seen it
    }
  };
  document.addEventListener('focusin', onFocus, true);
  document.addEventListener('pointerdown', onPress, true);
  document.addEventListener('keydown', onKey, true);
}
