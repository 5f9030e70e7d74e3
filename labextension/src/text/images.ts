/**
 * Hold remote images of a reply back until a person asks for them.
 *
 * A model's Markdown can name an image on any host, and fetching it sends that host whatever the
 * address holds. JupyterLab's sanitizer lets such images through.
 */

const HELD = 'data-stop-chat-image';

/** Tell whether an address leads away from this server. */
export function isRemote(address: string, base: string): boolean {
  const trimmed = address.trim();
  if (isEmbedded(trimmed)) {
    return false;
  }
  try {
    return new URL(trimmed, base).origin !== new URL(base).origin;
  } catch {
    return true;
  }
}

const isEmbedded = (address: string): boolean => /^\s*(?:data|blob):/i.test(address);

/**
 * Keep what an element would fetch only if it is a picture in the text itself, or a file of this
 * server: any other address of it might be one that does something.
 *
 * @param base what addresses are relative to.
 * @param files where the server's files are.
 */
export function holdImage(element: Element, base: string, files: string): void {
  const source = element.getAttribute('src');
  if (source === null) {
    return;
  }
  const isImage = element.tagName === 'IMG';
  if (isImage && isEmbedded(source)) {
    return;
  }
  if (isImage && !isRemote(source, base) && new URL(source.trim(), base).href.startsWith(files)) {
    return;
  }
  element.removeAttribute('src');
  if (isImage && isRemote(source, base)) {
    element.setAttribute(HELD, source);
  } else if (isImage) {
    element.replaceWith(element.getAttribute('alt') ?? '');
  }
}

/**
 * Put a button in the place of each image that is held back.
 *
 * @param atOnce show the images instead.
 */
export function offerHeld(
  root: HTMLElement,
  label: (host: string) => string,
  atOnce = false
): void {
  for (const image of root.querySelectorAll<HTMLImageElement>(`img[${HELD}]`)) {
    const address = image.getAttribute(HELD) as string;
    const show = (): void => {
      image.removeAttribute(HELD);
      image.referrerPolicy = 'no-referrer';
      image.src = address;
    };
    if (atOnce) {
      show();
      continue;
    }
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'jp-StopChat-remoteImage';
    button.textContent = label(hostOf(address));
    button.title = image.alt || address;
    button.addEventListener('click', event => {
      event.preventDefault(); // it may stand in a link
      show();
      button.replaceWith(image);
    });
    image.replaceWith(button);
  }
}

function hostOf(address: string): string {
  try {
    return new URL(address.trim(), document.baseURI).host;
  } catch {
    return address;
  }
}
