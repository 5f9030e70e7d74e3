/**
 * Hold remote images of a reply back until a person asks for them.
 *
 * A model's Markdown can name an image on any host, and fetching it sends that host whatever the
 * address holds. JupyterLab's sanitizer lets such images through, so this wraps it: what it has
 * cleaned is looked through in an inert document, where nothing is fetched.
 */
import { IRenderMime } from '@jupyterlab/rendermime-interfaces';

const HELD = 'data-stop-chat-image';

/** Tell whether an address leads away from this server. */
export function isRemote(address: string, base: string): boolean {
  const trimmed = address.trim();
  if (/^(?:data|blob):/i.test(trimmed)) {
    return false;
  }
  try {
    return new URL(trimmed, base).origin !== new URL(base).origin;
  } catch {
    return true;
  }
}

/** Take what would be fetched from elsewhere out of cleaned HTML. */
export function holdRemote(html: string, base: string): string {
  const template = document.createElement('template');
  template.innerHTML = html;
  for (const element of template.content.querySelectorAll('*')) {
    const source = element.getAttribute('src');
    if (source !== null && isRemote(source, base)) {
      element.removeAttribute('src');
      if (element.tagName === 'IMG') {
        element.setAttribute(HELD, source);
      }
    }
    for (const name of ['srcset', 'poster', 'background', 'longdesc']) {
      element.removeAttribute(name);
    }
    if (/url\s*\(|image-set|\\/i.test(element.getAttribute('style') ?? '')) {
      element.removeAttribute('style');
    }
    // a reply must not carry buttons that run JupyterLab's commands
    element.removeAttribute('data-commandlinker-command');
    element.removeAttribute('data-commandlinker-args');
  }
  return template.innerHTML;
}

/** Wrap a sanitizer, so that what it has cleaned fetches nothing from elsewhere. */
export function holdingSanitizer(sanitizer: IRenderMime.ISanitizer): IRenderMime.ISanitizer {
  return {
    getAutolink: () => sanitizer.getAutolink?.() ?? true,
    allowNamedProperties: false,
    allowCommandLinker: false,
    sanitize: (dirty, options) => holdRemote(sanitizer.sanitize(dirty, options), document.baseURI)
  };
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
    button.textContent = label(new URL(address, document.baseURI).host);
    button.title = image.alt || address;
    button.addEventListener('click', () => {
      show();
      button.replaceWith(image);
    });
    image.replaceWith(button);
  }
}
