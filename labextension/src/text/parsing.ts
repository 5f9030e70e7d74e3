/**
 * Markdown to HTML within a time that is bounded.
 *
 * Every Markdown parser has texts that take it minutes: their length squared, or worse. A short
 * text cannot be one. A longer one is parsed in a worker, which is ended when it takes too long.
 */
import { parse } from './parser';

/** A text up to this long, in UTF-16 code units, is parsed at once. */
const SHORT = 2000;
/** Without a worker one up to this long is. */
const SHORT_ENOUGH = 6000;
/** So long a text may take, in milliseconds. */
const DEADLINE = 1000;

/** What of a worker is used here. */
export interface ParserWorker {
  onmessage: ((event: MessageEvent<{ id: number; html: string | null }>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(message: { id: number; markdown: string }): void;
  terminate(): void;
}

export interface ParsingOptions {
  makeWorker: () => ParserWorker;
  /** Call after so many milliseconds; return what ends it. */
  after: (ms: number, what: () => void) => () => void;
}

interface Job {
  readonly markdown: string;
  readonly done: (html: string | null) => void;
}

/** Texts that are parsed one after the other. */
export class Parsing {
  constructor(private _options: ParsingOptions) {}

  /** Return the HTML of a text, not sanitized yet; null when it takes too long. */
  async parse(markdown: string): Promise<string | null> {
    if (markdown.length <= SHORT) {
      return parse(markdown);
    }
    return new Promise(done => {
      this._jobs.push({ markdown, done });
      if (!this._current) {
        this._next();
      }
    });
  }

  private _next(): void {
    const job = (this._current = this._jobs.shift() ?? null);
    if (!job) {
      return;
    }
    const id = ++this._id;
    try {
      this._worker ??= this._options.makeWorker();
    } catch {
      this._parseHere(job);
      return;
    }
    const worker = this._worker;
    const end = (html: string | null): void => {
      stopTimer();
      worker.onmessage = worker.onerror = null;
      job.done(html);
      this._next();
    };
    const stopTimer = this._options.after(this._warm ? DEADLINE : 10 * DEADLINE, () => {
      this._drop();
      end(null);
    });
    worker.onmessage = ({ data }) => {
      if (data.id === id) {
        this._warm = true;
        end(data.html);
      }
    };
    worker.onerror = event => {
      event.preventDefault?.();
      stopTimer();
      this._drop();
      this._parseHere(job);
    };
    worker.postMessage({ id, markdown: job.markdown });
  }

  /** A page that may have no workers parses what cannot take long. */
  private _parseHere(job: Job): void {
    job.done(job.markdown.length <= SHORT_ENOUGH ? parse(job.markdown) : null);
    this._next();
  }

  private _drop(): void {
    this._worker?.terminate();
    this._worker = null;
    this._warm = false;
  }

  private _jobs: Job[] = [];
  private _current: Job | null = null;
  private _worker: ParserWorker | null = null;
  /** It has answered once: how long it takes is the text's own matter from then on. */
  private _warm = false;
  private _id = 0;
}

/** Start the worker that parses. */
export function startParserWorker(): ParserWorker {
  return new Worker(new URL('./parserWorker.js', import.meta.url));
}
