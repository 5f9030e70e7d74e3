/** Diagrams of a reply: drawn where nothing can be loaded, and shown as pictures. */
import { IThemeManager } from '@jupyterlab/apputils';

import { makeDiagramFrame } from './diagramFrame';

/** A diagram that was drawn. */
export interface Drawing {
  /** A picture loads nothing and runs nothing, whatever is in it. */
  readonly svg: string;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly description: string;
}

/** So long a drawing may take, in milliseconds; the first one waits for Mermaid as well. */
const DEADLINE = 10_000;
const FIRST = 60_000;
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

  private async _drawOne(text: string): Promise<Drawing | null> {
    try {
      const port = await within(FIRST, (this._port ??= this._open()));
      const id = ++this._id;
      return await within(
        DEADLINE,
        new Promise<Drawing | null>(resolve => {
          port.onmessage = ({ data }) => {
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
    this._frame?.remove();
    this._frame = this._port = null;
  }

  private async _open(): Promise<MessagePort> {
    const frame = (this._frame = makeDiagramFrame(await this._source()));
    return new Promise(resolve => {
      const hear = (event: MessageEvent): void => {
        const window_ = frame.contentWindow;
        if (event.source && event.source === window_?.[0] && event.ports[0]) {
          window.removeEventListener('message', hear);
          resolve(event.ports[0]);
        }
      };
      window.addEventListener('message', hear);
      document.body.append(frame);
    });
  }

  private _turn: Promise<Drawing | null> = Promise.resolve(null);
  private _drawn = new Map<string, Drawing | null>();
  private _frame: HTMLIFrameElement | null = null;
  private _port: Promise<MessagePort> | null = null;
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
  words: { diagram: string; code: string }
): Promise<void> {
  for (const code of root.querySelectorAll('pre > code.language-mermaid')) {
    const block = code.closest('.jp-StopChat-code') ?? (code.parentElement as Element);
    const drawing = await diagrams.draw(code.textContent ?? '');
    if (!drawing) {
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

function show(image: HTMLImageElement, drawing: Drawing, name: string): void {
  image.alt = [drawing.title, drawing.description].filter(Boolean).join('. ') || name;
  image.width = drawing.width;
  image.height = drawing.height;
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawing.svg)}`;
}

function drawingOf(data: Record<string, unknown>): Drawing | null {
  const { svg } = data;
  if (typeof svg !== 'string' || svg.length > LONGEST) {
    return null;
  }
  const size = (given: unknown): number =>
    Math.min(8000, Math.max(16, Math.ceil(Number(given)) || 300));
  return {
    svg,
    width: size(data.width),
    height: size(data.height),
    title: String(data.title ?? '').slice(0, 500),
    description: String(data.description ?? '').slice(0, 2000)
  };
}

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('It took too long.')), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
