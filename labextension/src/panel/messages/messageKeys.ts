/**
 * The keys in the list of messages. Each message is one stop of the Tab key; the arrows lead through
 * what can be pressed in it, and PageDown and PageUp from message to message.
 */

const MESSAGE = '.jp-StopChat-message';
/** What can have the focus within a message. */
const INSIDE = 'a[href], button, summary, input, [tabindex]';
/** Forms, with stops of their own. */
const FORM = '.jp-StopChat-editor, .jp-StopChat-approval';

/** Keep the keys in a list of messages; return a function that ends it. */
export function messageKeys(list: HTMLElement): () => void {
  const observer = new MutationObserver(changes => {
    for (const { addedNodes } of changes) {
      addedNodes.forEach(node => node instanceof HTMLElement && takeOut(node));
    }
  });
  observer.observe(list, { childList: true, subtree: true });
  list.addEventListener('keydown', onKeyDown);
  takeOut(list);
  return () => {
    observer.disconnect();
    list.removeEventListener('keydown', onKeyDown);
  };
}

/** Take what is within messages out of the order of the Tab key. */
function takeOut(root: HTMLElement): void {
  for (const element of [root, ...root.querySelectorAll<HTMLElement>(INSIDE)]) {
    if (isInside(element)) {
      element.tabIndex = -1;
    }
  }
}

function isInside(element: Element): boolean {
  const message = element.parentElement?.closest(MESSAGE);
  return !!message && element.matches(INSIDE) && !element.closest(FORM);
}

function onKeyDown(event: KeyboardEvent): void {
  const { target, key } = event;
  const isPlain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
  if (!(target instanceof HTMLElement) || !isPlain || event.defaultPrevented) {
    return;
  }
  const message = target.closest<HTMLElement>(MESSAGE);
  if (!message || target.closest(FORM)) {
    return;
  }
  const step = { ArrowRight: 1, ArrowLeft: -1, PageDown: 1, PageUp: -1 }[key];
  if (step === undefined) {
    return;
  }
  const isPage = key.startsWith('Page');
  if (!isPage && scrolls(target, step)) {
    return; // a wide line of code is read first
  }
  const stops = isPage
    ? [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(MESSAGE)]
    : [message, ...[...message.querySelectorAll<HTMLElement>(INSIDE)].filter(isReachable)];
  const next = stops[stops.indexOf(isPage ? message : target) + step];
  if (next) {
    event.preventDefault();
    next.focus({ preventScroll: isPage });
    if (isPage) {
      next.scrollIntoView({ block: 'start' });
    }
  }
}

/** Tell whether something can be scrolled to a side. */
function scrolls(element: HTMLElement, step: number): boolean {
  const left = element.scrollWidth - element.clientWidth - element.scrollLeft;
  const isWide = element.scrollWidth > element.clientWidth && getComputedStyle(element).overflowX === 'auto';
  return isWide && (step > 0 ? left >= 1 : element.scrollLeft > 0);
}

/** Tell whether something can be reached now: what is folded away cannot. */
function isReachable(element: HTMLElement): boolean {
  return isInside(element) && !element.matches(':disabled') && element.checkVisibility?.() !== false;
}
