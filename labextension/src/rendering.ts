/** Render Markdown with JupyterLab's own renderer: sanitized, never trusted. */
import { IRenderMimeRegistry, MimeModel } from '@jupyterlab/rendermime';
import { TranslationBundle } from '@jupyterlab/translation';

import { codeToolsWith } from './codeTools';
import { holdingSanitizer, offerHeld } from './images';

export type Render = (markdown: string) => Promise<HTMLElement>;

/**
 * Make the function that renders a piece of Markdown into a new element.
 *
 * @param showsRemote tells whether images on other hosts are fetched without being asked for.
 */
export function makeRender(
  registry: IRenderMimeRegistry,
  trans: TranslationBundle,
  showsRemote: () => boolean
): Render {
  const rendermime = registry.clone({ sanitizer: holdingSanitizer(registry.sanitizer) });
  const addCodeTools = codeToolsWith({
    copy: trans.__('Copy'),
    insertBelow: trans.__('Insert below the active cell'),
    replace: trans.__('Replace the active cell'),
    append: trans.__('New cell at the end of the notebook')
  });
  return async markdown => {
    const renderer = rendermime.createRenderer('text/markdown');
    await renderer.renderModel(
      new MimeModel({ data: { 'text/markdown': markdown }, trusted: false })
    );
    offerHeld(
      renderer.node,
      host => trans.__('Show remote image from %1', host),
      showsRemote()
    );
    addCodeTools(renderer.node);
    if (markdown.includes('$') || markdown.includes('\\begin')) {
      // a renderer that is not attached does not typeset by itself
      await rendermime.latexTypesetter?.typeset(renderer.node);
    }
    return renderer.node;
  };
}

/** What needs each part that JupyterLab loads when it is first used. */
const SAMPLES = ['**a** `b`', '| a |\n|---|\n| b |\n', '```python\na = 1\n```\n', '$a$'];

/**
 * Load what rendering needs while the page has nothing to do, so that the first words of the
 * first reply do not wait for it.
 */
export function warmUp(render: Render): void {
  const samples = [...SAMPLES];
  const next = (): void => {
    const sample = samples.shift();
    if (sample !== undefined) {
      const later = window.requestIdleCallback ?? ((what: () => void) => setTimeout(what, 50));
      later(() => {
        void render(sample).then(next, () => undefined);
      });
    }
  };
  next();
}
