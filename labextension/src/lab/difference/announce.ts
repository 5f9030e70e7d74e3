/** What a screen reader is told of what happens in cells: one place, as each bar goes at its end. */
import { Notification } from '@jupyterlab/apputils';

/** So long the same words count as old, in milliseconds: else they would not be told twice. */
const CLEARS = 5000;

/** How long a refusal stays in the corner, in milliseconds; afterwards it is in the list. */
const STAYS = 10_000;

let region: HTMLElement | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Say something, politely. */
export function announce(words: string): void {
  if (!region?.isConnected) {
    region = document.createElement('div');
    region.className = 'jp-StopChat-cellStatus';
    region.setAttribute('role', 'status');
    document.body.append(region);
  }
  const said = region;
  said.textContent = '';
  // a region that is only just there is listened to from the next turn on
  setTimeout(() => (said.textContent = words));
  clearTimeout(timer);
  timer = setTimeout(() => (said.textContent = ''), CLEARS);
}

/** Say why something was not done: to everybody, as nothing else changes that could be seen. */
export function refuse(words: string): void {
  Notification.warning(words, { autoClose: STAYS });
}
