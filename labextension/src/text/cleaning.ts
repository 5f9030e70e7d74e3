/**
 * What a reply must not do to the page that shows it, beyond what JupyterLab's sanitizer forbids.
 *
 * The sanitizer is made for notebooks, whose author is the reader. A model's words may come from
 * whoever wrote what it has read: they must not pose as the page's own controls, lie over them,
 * ask for passwords, fetch anything by themselves, or lead away from the page.
 */
import { IRenderMime } from '@jupyterlab/rendermime-interfaces';

import { holdImage } from './images';

/** Controls of which only the words stay. */
const UNWRAPPED =
  'form, fieldset, legend, label, button, select, optgroup, option, datalist, textarea, output, menu, command';
/** What plays, loads or maps: nothing of it stays. */
const REMOVED =
  'script, style, link, meta, base, iframe, object, embed, template, audio, video, source, track, canvas, map, area';
/** What Markdown names; others are the page's. */
const CLASS = /^(?:language-[\w+#.-]+|jp-StopChat-math)$/;
const STYLE =
  /^(?:color|background-color|font-(?:style|weight|family|size|variant)|text-(?:align|decoration|transform)|vertical-align|white-space|list-style-type|border(?:-\w+)*|width|max-width)$/;
const NEVER =
  /^(?:id|name|accesskey|tabindex|autofocus|contenteditable|draggable|inert|srcset|poster|background|longdesc|usemap|ismap|ping|download|popover|data-[\w-]+)$/;
const SCHEME = /^(?:https?|ftp|mailto|tel):$/;

/** Remove from sanitized HTML what would reach beyond its own text. */
export function clean(html: string, base: string, files: string): string {
  const template = document.createElement('template');
  template.innerHTML = html;
  const { content } = template;
  content.querySelectorAll(REMOVED).forEach(element => element.remove());
  content.querySelectorAll(UNWRAPPED).forEach(element => {
    element.replaceWith(...element.childNodes);
  });
  for (const element of content.querySelectorAll('*')) {
    if (element.tagName === 'INPUT') {
      cleanInput(element as HTMLInputElement);
      continue;
    }
    for (const name of element.getAttributeNames()) {
      if (NEVER.test(name) || name.startsWith('on')) {
        element.removeAttribute(name);
      }
    }
    keepClasses(element);
    keepStyles(element as HTMLElement);
    holdImage(element, base, files);
  }
  return template.innerHTML;
}

/** A task of a list is the one field that Markdown has; it only shows. */
function cleanInput(input: HTMLInputElement): void {
  if (input.type !== 'checkbox') {
    input.remove();
    return;
  }
  for (const name of input.getAttributeNames()) {
    if (!['type', 'checked', 'disabled'].includes(name)) {
      input.removeAttribute(name);
    }
  }
  input.disabled = true;
}

function keepClasses(element: Element): void {
  if (element.hasAttribute('class')) {
    const kept = [...element.classList].filter(name => CLASS.test(name));
    if (kept.length) {
      element.className = kept.join(' ');
    } else {
      element.removeAttribute('class');
    }
  }
}

function keepStyles(element: HTMLElement): void {
  const all = element.getAttribute('style');
  if (all === null) {
    return;
  }
  const { style } = element;
  const made = Array.from(style)
    .map(name => [name, style.getPropertyValue(name)])
    .filter(([name, value]) => STYLE.test(name) && !/[(\\]/.test(value.replace(/^rgba?\(/, '')))
    .map(declaration => declaration.join(': '))
    .join('; ');
  element.removeAttribute('style');
  if (made) {
    element.setAttribute('style', made);
  }
}

/** Wrap a sanitizer, so that what it has cleaned stays within the words. */
export function cleaningSanitizer(
  sanitizer: IRenderMime.ISanitizer,
  files: string
): IRenderMime.ISanitizer {
  return {
    getAutolink: () => sanitizer.getAutolink?.() ?? true,
    allowNamedProperties: false,
    allowCommandLinker: false,
    sanitize: (dirty, options) =>
      clean(sanitizer.sanitize(dirty, options), document.baseURI, files)
  };
}

/**
 * See that links open in a window of their own that knows nothing of this one.
 *
 * It comes last: mathematics are typeset after the sanitizer, and can make links as well.
 */
export function harden(root: HTMLElement): void {
  for (const element of root.querySelectorAll('[href], [*|href]')) {
    if (!(element instanceof HTMLAnchorElement)) {
      element.removeAttribute('href');
      element.removeAttributeNS('http://www.w3.org/1999/xlink', 'href');
      continue;
    }
    const address = element.getAttribute('href') as string;
    if (address.startsWith('#')) {
      element.target = '_self';
    } else if (!SCHEME.test(element.protocol)) {
      element.removeAttribute('href');
    } else {
      element.target = '_blank';
      element.rel = 'noopener noreferrer';
    }
  }
  for (const element of root.querySelectorAll<HTMLElement>(
    'mjx-container :is([class], [id], [style])'
  )) {
    // `\class`, `\cssId` and `\style` write what they are told to
    element.removeAttribute('id');
    element.classList.remove(...[...element.classList].filter(name => /^(?:jp|lm)-/.test(name)));
    for (const name of Array.from(element.style ?? [])) {
      if (/position|inset|z-index/.test(name) || /[(\\]/.test(element.style.getPropertyValue(name).replace(/^rgba?\(/, ''))) {
        element.style.removeProperty(name);
      }
    }
  }
}
