/** Render Markdown in steps of which each is bounded: sanitized, never trusted. */
import { IEditorLanguageRegistry } from "@jupyterlab/codemirror";
import { PageConfig, URLExt } from "@jupyterlab/coreutils";
import { IRenderMimeRegistry, MimeModel } from "@jupyterlab/rendermime";
import { TranslationBundle } from "@jupyterlab/translation";

import { GrowingText } from "./body";
import { cleaningSanitizer, harden } from "./cleaning";
import { codeFrame, codeToolsWith } from "./codeTools";
import { Colours } from "./colours";
import { Diagrams, drawDiagrams } from "./diagrams/diagrams";
import { offerHeld } from "./images";
import { Parsing, startParserWorker } from "./parsing";
import { plainText } from "./plainText";
import { laterTask, Slices } from "./slices";
import { frameTables } from "./tables";
import { Typesetting } from "./math/typesetting";

export interface Render {
  /**
   * Render a piece of Markdown into a new element, in its turn.
   *
   * @param grows more of it comes: its diagrams are not whole yet.
   */
  (markdown: string, grows?: boolean): Promise<HTMLElement>;
  /** Begin a code block that grows. */
  readonly growCode: (info: string) => GrowingText;
}

export interface RenderOptions {
  registry: IRenderMimeRegistry;
  languages: IEditorLanguageRegistry | null;
  diagrams: Diagrams;
  trans: TranslationBundle;
  /** Tell whether images on other hosts are fetched without being asked for. */
  showsRemote: () => boolean;
  /** Tell whether the long lines of code are wrapped. */
  wrapsCode: () => boolean;
}

/** So long the words that follow a diagram wait for its picture, in milliseconds. */
const MOMENT = 1000;

/** Make what renders the words of all messages. */
export function makeRender(options: RenderOptions): Render {
  const { registry, trans, showsRemote } = options;
  const files = URLExt.join(PageConfig.getBaseUrl(), "files/");
  const rendermime = registry.clone({
    sanitizer: cleaningSanitizer(registry.sanitizer, files),
  });
  const addCodeTools = codeToolsWith(
    {
      wrap: trans.__("Wrap long lines"),
      copy: trans.__("Copy"),
      insert: trans.__("Insert at the caret, or below the active cell"),
      replace: trans.__("Replace cell, or what is selected in the file"),
      append: trans.__("New cell at the end of the notebook"),
    },
    options.wrapsCode,
  );
  const after = (ms: number, what: () => void): (() => void) => {
    const timer = setTimeout(what, ms);
    return () => clearTimeout(timer);
  };
  const now = (): number => performance.now();
  const slices = new Slices({ now, later: laterTask, after });
  const parsing = new Parsing({ makeWorker: startParserWorker, after });
  const colours = new Colours(
    options.languages,
    () => new Promise<void>((resolve) => laterTask(resolve)),
    now,
  );
  const typesetting = new Typesetting({
    typeset: async (formula) => rendermime.latexTypesetter?.typeset(formula),
    inTurn: (work) => slices.do(work),
    after,
  });
  const render = async (
    markdown: string,
    grows = false,
  ): Promise<HTMLElement> => {
    const renderer = rendermime.createRenderer("text/html");
    let html: string | null = null;
    await slices.do(async () => {
      html = await parsing.parse(markdown);
      if (html === null) {
        return;
      }
      await renderer.renderModel(
        new MimeModel({ data: { "text/html": html }, trusted: false }),
      );
      nameHeadings(renderer.node);
      offerHeld(
        renderer.node,
        (host) => trans.__("Show remote image from %1", host),
        showsRemote(),
      );
      addCodeTools(renderer.node);
      frameTables(renderer.node);
    });
    if (html === null) {
      return plainText(
        markdown,
        trans.__("Shown as plain text: too complex to format"),
      );
    }
    const { node } = renderer;
    node.classList.add("jp-RenderedMarkdown");
    await typesetting.typeset(node);
    harden(node);
    await colours.colourAll(node);
    if (!grows) {
      const drawn = drawDiagrams(node, options.diagrams, {
        diagram: trans.__("Diagram"),
        code: trans.__("Code of the diagram"),
        forbidden: trans.__("The policy of this page lets no diagram be drawn"),
      });
      // a picture that comes later takes the place of its code then: the words do not wait
      await Promise.race([
        drawn,
        new Promise<void>((resolve) => after(MOMENT, resolve)),
      ]);
    }
    return node;
  };
  return Object.assign(render, {
    growCode: (info: string) => {
      const code = colours.grow(info);
      return {
        node: codeFrame(code.node, /^\S*/.exec(info)?.[0] ?? ""),
        update: (text: string) => code.update(text),
        goesOn: (text: string) => code.goesOn(text),
      };
    },
  });
}

/** Name the headings as JupyterLab's own Markdown does, so that links within a text find them. */
function nameHeadings(root: HTMLElement): void {
  for (const heading of root.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    heading.setAttribute(
      "data-jupyter-id",
      (heading.textContent ?? "").replace(/ /g, "-"),
    );
  }
}

/** What needs each part that JupyterLab loads when it is first used. */
const SAMPLES = [
  "**a** `b`",
  "| a |\n|---|\n| b |\n",
  "```python\na = 1\n```\n",
  "$a$",
];

/**
 * Load what rendering needs while the page has nothing to do, so that the first words of the
 * first reply do not wait for it.
 */
export function warmUp(render: Render): void {
  const samples = [...SAMPLES];
  const next = (): void => {
    const sample = samples.shift();
    if (sample !== undefined) {
      whenIdle(() => {
        void render(sample).then(next, () => undefined);
      });
    }
  };
  next();
}

function whenIdle(what: () => void): void {
  if ("requestIdleCallback" in window) {
    window.requestIdleCallback(what);
  } else {
    setTimeout(what, 50);
  }
}
