/** Diagrams of a reply: drawn where nothing can be loaded, and shown as pictures. */
import { IThemeManager } from '@jupyterlab/apputils';

import { makeDiagramFrame } from './diagramFrame';
import { cleanDrawing } from './drawing';

/** A diagram that was drawn. */
export interface Drawing {
  /** It names nothing outside itself: a person may open the picture, or save it. */
  readonly svg: string;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly description: string;
}

/** So long a drawing may take, in milliseconds; the first one waits for Mermaid as well. */
const DEADLINE = 10_000;
const FIRST = 60_000;
/** So long a frame that is loaded may be silent, in milliseconds: it speaks while it loads. */
const SILENT = 3000;
/** A drawing that is longer than this, in UTF-16 code units, is not shown. */
const LONGEST = 2_000_000;
/** So many drawings are kept for those that come again: at each render of a list that grows. */
const KEPT = 50;

/** The drawings of one page, made one after the other in a frame that is made for the first one. */
export class Diagrams {
  /**
   * @param source returns Mermaid's own code.
   * @param isDark tells whether the page's theme is dark.
   */
  constructor(
    private _source: () => Promise<string>,
    readonly isDark: () => boolean
  ) {}

  /** Draw a diagram; null when it is none, or too much. */
  async draw(text: string): Promise<Drawing | null> {
    const key = `${this.isDark()} ${text}`;
    let drawing = this._drawn.get(key);
    if (drawing === undefined) {
      const drawn = (this._turn = this._turn.then(() => this._drawOne(text)));
      drawing = await drawn;
      this._drawn.set(key, drawing);
      if (this._drawn.size > KEPT) {
        this._drawn.delete(this._drawn.keys().next().value as string);
      }
    }
    return drawing;
  }

  /** Tell whether this page's own policy lets no diagram be drawn. */
  get isForbidden(): boolean {
    return this._forbidden;
  }

  private async _drawOne(text: string): Promise<Drawing | null> {
    if (this._forbidden) {
      return null;
    }
    try {
      const port = await within(FIRST, (this._port ??= this._open(this._opened.signal)));
      const id = ++this._id;
      return await within(
        DEADLINE,
        new Promise<Drawing | null>(resolve => {
          port.onmessage = ({ data }: MessageEvent<Record<string, unknown> | null>) => {
            if (data?.id === id) {
              if (data.broken) {
                this._drop();
              }
              resolve(drawingOf(data));
            }
          };
          port.postMessage({ id, text, dark: this.isDark(), font: 'sans-serif' });
        })
      );
    } catch {
      this._drop(); // it took too long, or could not be made
      return null;
    }
  }

  /** The next drawing has a frame of its own. */
  private _drop(): void {
    this._opened.abort();
    this._opened = new AbortController();
    this._port = null;
  }

  /** Open a frame; nothing of it stays once it is dropped, however far it has come by then. */
  private async _open(signal: AbortSignal): Promise<MessagePort> {
    const source = await this._source();
    signal.throwIfAborted();
    const frame = makeDiagramFrame(source);
    return new Promise((resolve, reject) => {
      const heard = new AbortController();
      const hear = (event: MessageEvent): void => {
        const window_ = frame.contentWindow;
        if (event.source && event.source === window_?.[0] && event.ports[0]) {
          heard.abort();
          resolve(event.ports[0]);
        }
      };
      window.addEventListener('message', hear, { signal: heard.signal });
      frame.addEventListener(
        'load',
        () => {
          // its script has run by now and its message is on the way, unless it may not run
          const late = setTimeout(() => {
            this._forbidden = true;
            reject(new Error('The page lets no script run in a frame.'));
          }, SILENT);
          heard.signal.addEventListener('abort', () => clearTimeout(late));
        },
        { signal: heard.signal }
      );
      signal.addEventListener('abort', () => {
        heard.abort();
        frame.remove();
      });
      document.body.append(frame);
    });
  }

  private _turn: Promise<Drawing | null> = Promise.resolve(null);
  private _drawn = new Map<string, Drawing | null>();
  private _port: Promise<MessagePort> | null = null;
  /** It is aborted when the frame is dropped. */
  private _opened = new AbortController();
  private _forbidden = false;
  private _id = 0;
}

/** Make the drawings of this page; they follow its theme. */
export function diagramsOf(themes: IThemeManager | null): Diagrams {
  const diagrams = new Diagrams(
    fetchMermaid,
    () => !!themes?.theme && !themes.isLight(themes.theme)
  );
  themes?.themeChanged.connect(() => void redrawDiagrams(diagrams));
  return diagrams;
}

/** Fetch Mermaid's code from this server, where it lies beside the extension's own. */
async function fetchMermaid(): Promise<string> {
  const answer = await fetch(new URL('mermaid/dist/mermaid.min.js', import.meta.url));
  if (!answer.ok) {
    throw new Error(`Mermaid could not be fetched: ${answer.status}`);
  }
  return answer.text();
}

/** Put pictures in the place of a rendered text's diagrams; their code stays below them. */
export async function drawDiagrams(
  root: HTMLElement,
  diagrams: Diagrams,
  words: { diagram: string; code: string; forbidden: string }
): Promise<void> {
  for (const code of root.querySelectorAll('pre > code.language-mermaid')) {
    const block: Element =
      code.closest('.jp-StopChat-code') ?? (code.parentElement as Element);
    const drawing = await diagrams.draw(code.textContent ?? '');
    if (!drawing) {
      if (diagrams.isForbidden) {
        block.after(noteOf(words.forbidden));
      }
      continue; // its code says as much
    }
    const figure = document.createElement('figure');
    figure.className = 'jp-StopChat-diagram';
    const scroll = document.createElement('div');
    scroll.tabIndex = 0;
    scroll.setAttribute('role', 'group');
    scroll.setAttribute('aria-label', words.diagram);
    const image = document.createElement('img');
    show(image, drawing, words.diagram);
    // the page's policy may let no picture be shown that is not from its server
    image.addEventListener('error', () => figure.replaceWith(block, noteOf(words.forbidden)));
    scroll.append(image);
    const details = document.createElement('details');
    const summary = document.createElement('summary');
    summary.textContent = words.code;
    block.replaceWith(figure);
    details.append(summary, block);
    figure.append(scroll, details);
  }
}

/** Draw the diagrams that are on the page anew, as the theme is another. */
async function redrawDiagrams(diagrams: Diagrams): Promise<void> {
  for (const image of document.querySelectorAll<HTMLImageElement>('.jp-StopChat-diagram img')) {
    const code = image.closest('figure')?.querySelector('code');
    const drawing = code && (await diagrams.draw(code.textContent ?? ''));
    if (drawing) {
      show(image, drawing, image.alt);
    }
  }
}

function noteOf(words: string): HTMLElement {
  const note = document.createElement('p');
  note.className = 'jp-StopChat-note';
  note.textContent = words;
  return note;
}

function show(image: HTMLImageElement, drawing: Drawing, name: string): void {
  image.alt = [drawing.title, drawing.description].filter(Boolean).join('. ') || name;
  image.width = drawing.width;
  image.height = drawing.height;
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawing.svg)}`;
}

function drawingOf(data: Record<string, unknown>): Drawing | null {
  const given = data.svg;
  if (typeof given !== 'string' || given.length > LONGEST) {
    return null;
  }
  const svg = cleanDrawing(given);
  if (svg === null) {
    return null;
  }
  const size = (given: unknown): number =>
    Math.min(8000, Math.max(16, Math.ceil(Number(given)) || 300));
  const words = (given: unknown): string => (typeof given === 'string' ? given : '');
  return {
    svg,
    width: size(data.width),
    height: size(data.height),
    title: words(data.title).slice(0, 500),
    description: words(data.description).slice(0, 2000)
  };
}

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('It took too long.')), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
