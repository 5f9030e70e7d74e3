/** Render Markdown with JupyterLab's own renderer: sanitized, never trusted. */
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { IRenderMimeRegistry, MimeModel } from '@jupyterlab/rendermime';
import { TranslationBundle } from '@jupyterlab/translation';

import { cleaningSanitizer, harden, tameDiagrams } from './cleaning';
import { codeToolsWith } from './codeTools';
import { offerHeld } from './images';
import { dollarMath } from './markdown';
import { laterTask, Slices } from './slices';

export type Render = (markdown: string) => Promise<HTMLElement>;

/**
 * Make the function that renders a piece of Markdown into a new element, in its turn.
 *
 * @param showsRemote tells whether images on other hosts are fetched without being asked for.
 */
export function makeRender(
  registry: IRenderMimeRegistry,
  trans: TranslationBundle,
  showsRemote: () => boolean
): Render {
  const files = URLExt.join(PageConfig.getBaseUrl(), 'files/');
  const rendermime = registry.clone({ sanitizer: cleaningSanitizer(registry.sanitizer, files) });
  const addCodeTools = codeToolsWith({
    copy: trans.__('Copy'),
    insertBelow: trans.__('Insert below the active cell'),
    replace: trans.__('Replace the active cell'),
    append: trans.__('New cell at the end of the notebook')
  });
  const slices = new Slices({
    now: () => performance.now(),
    later: laterTask,
    after: (ms, what) => {
      const timer = setTimeout(what, ms);
      return () => clearTimeout(timer);
    }
  });
  return async source => {
    const markdown = tameDiagrams(dollarMath(source));
    const renderer = rendermime.createRenderer('text/markdown');
    await slices.do(async () => {
      await renderer.renderModel(
        new MimeModel({ data: { 'text/markdown': markdown }, trusted: false })
      );
      offerHeld(
        renderer.node,
        host => trans.__('Show remote image from %1', host),
        showsRemote()
      );
      addCodeTools(renderer.node);
    });
    if (markdown.includes('$') || markdown.includes('\\begin')) {
      // a renderer that is not attached does not typeset by itself
      await slices.do(async () => rendermime.latexTypesetter?.typeset(renderer.node));
    }
    harden(renderer.node);
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
