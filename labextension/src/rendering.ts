/** Render Markdown with JupyterLab's own renderer: sanitized, never trusted. */
import { IRenderMimeRegistry, MimeModel } from '@jupyterlab/rendermime';
import { TranslationBundle } from '@jupyterlab/translation';

import { holdingSanitizer, offerHeld } from './images';

/** Make the function that renders a piece of Markdown into a new element. */
export function makeRender(
  registry: IRenderMimeRegistry,
  trans: TranslationBundle
): (markdown: string) => Promise<HTMLElement> {
  const rendermime = registry.clone({ sanitizer: holdingSanitizer(registry.sanitizer) });
  return async markdown => {
    const renderer = rendermime.createRenderer('text/markdown');
    await renderer.renderModel(
      new MimeModel({ data: { 'text/markdown': markdown }, trusted: false })
    );
    offerHeld(renderer.node, host => trans.__('Show remote image from %1', host));
    if (markdown.includes('$') || markdown.includes('\\begin')) {
      // a renderer that is not attached does not typeset by itself
      await rendermime.latexTypesetter?.typeset(renderer.node);
    }
    return renderer.node;
  };
}
