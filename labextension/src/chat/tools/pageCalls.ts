/**
 * What tools ask of this page: each is done once, and its answer is kept and sent again until the
 * server needs it no more.
 *
 * It imports nothing of JupyterLab or React.
 */
import { isTerminal } from '../../wire/guards';
import { ClientFrame, ServerFrame, ToolAnswer, ToolRequest } from '../../wire/protocol';
import { Clock } from '../../wire/clock';

/** Why a page could not do what a tool asked of it. */
export type PageError =
  | 'not_open'
  | 'gone'
  | 'changed'
  | 'read_only'
  | 'too_large'
  | 'bad_request'
  /** The kernel is another one by now, or not there. */
  | 'changed_kernel'
  /** The cell is running already. */
  | 'busy'
  | 'failed';

/** What is thrown where a page cannot do it; `result` goes with it, such as a source as it is. */
export class PageFailure extends Error {
  constructor(
    readonly code: PageError,
    readonly result?: unknown
  ) {
    super(code);
  }
}

/** Thrown where nobody waits any more, and nothing may begin. */
export class NotWanted extends Error {}

/**
 * Does what a tool asks, and returns what can be written as JSON.
 *
 * @param begin is called in the very step in which something is changed: it throws `NotWanted`
 *   where the reply was stopped.
 */
export type PageWork = (
  operation: string,
  args: Readonly<Record<string, unknown>>,
  begin: () => void
) => Promise<unknown>;

export interface PageCallsOptions {
  clock: Clock;
  work: PageWork;
  /** Write a frame, if there is a connection; tell whether it was written. */
  send: (frame: ClientFrame) => boolean;
  /** Answer by HTTP what is too long for a frame. */
  post: (call: string, answer: Omit<ToolAnswer, 'type' | 'call'>) => Promise<void>;
  /** Tell whether a reply was stopped here, or has ended. */
  isStopped: (messageId: string) => boolean;
}

/** A longer answer goes by HTTP, in bytes: no other frame is to wait behind it. */
export const LONGEST_FRAME = 48 * 1024;
/** A longer answer is refused, in UTF-16 code units. */
export const LONGEST_ANSWER = 16 * 1024 * 1024;
/** When an answer by HTTP is tried again, in milliseconds; then with the next connection. */
export const POST_AGAIN = [1000, 3000, 10_000];
/** So many calls are remembered, answered or not. */
export const MOST_CALLS = 500;

interface Known {
  readonly messageId: string;
  /** Null while it is being done, and once it is not wanted any more. */
  answer: ToolAnswer | null;
  /** Nobody waits for it. */
  over: boolean;
  /** It is on its way by HTTP. */
  posting: boolean;
}

export class PageCalls {
  constructor(private _options: PageCallsOptions) {}

  /** Receive a frame of the server, after the chats have. */
  receive(frame: ServerFrame): void {
    if (frame.type === 'tool_request') {
      this._request(frame);
    } else if (frame.type === 'tool_cancel') {
      this._end(frame.call);
    } else if (frame.type === 'message' && isTerminal(frame.message.state)) {
      this._known.forEach((one, call) => one.messageId === frame.message.id && this._end(call));
    } else if (frame.type === 'welcome') {
      this._known.forEach((one, call) => !one.over && this._tell(call, one));
    }
  }

  private _request(frame: ToolRequest): void {
    const { call } = frame;
    let one = this._known.get(call);
    if (one?.over) {
      return; // it was cancelled, and must not begin by a frame that comes twice
    }
    if (!one) {
      one = { messageId: frame.message_id, answer: null, over: false, posting: false };
      this._known.set(call, one);
      this._forgetOldest();
      this._tell(call, one);
      void this._do(frame, one);
    } else {
      this._tell(call, one);
    }
  }

  private async _do(frame: ToolRequest, one: Known): Promise<void> {
    const begin = (): void => {
      if (one.over || this._options.isStopped(one.messageId)) {
        throw new NotWanted();
      }
    };
    const { call } = frame;
    try {
      begin();
      const done = await this._options.work(frame.operation, frame.args ?? {}, begin);
      const result = JSON.stringify(done ?? null);
      one.answer = fits(result)
        ? { type: 'tool_answer', call, result }
        : { type: 'tool_answer', call, error: 'too_large' };
    } catch (error) {
      if (error instanceof NotWanted) {
        this._end(call);
        return;
      }
      one.answer = failure(call, error);
    }
    if (one.over) {
      one.answer = null;
    } else {
      this._tell(call, one);
    }
  }

  /** Say how far it is. */
  private _tell(call: string, one: Known): void {
    const { answer } = one;
    if (!answer) {
      this._options.send({ type: 'tool_taken', call });
    } else if (bytes(JSON.stringify(answer)) <= LONGEST_FRAME) {
      this._options.send(answer);
    } else if (!one.posting) {
      one.posting = true;
      void this._post(call, one, 0);
    }
  }

  private async _post(call: string, one: Known, tries: number): Promise<void> {
    if (one.over || !one.answer) {
      return;
    }
    const { type: _type, call: _call, ...answer } = one.answer;
    try {
      await this._options.post(call, answer);
      this._end(call); // the answer to it says that it came
    } catch {
      const wait = POST_AGAIN[tries];
      if (wait === undefined) {
        one.posting = false;
      } else {
        this._options.clock.after(wait, () => void this._post(call, one, tries + 1));
      }
    }
  }

  /** Nobody waits any more: the answer is forgotten, the call is not. */
  private _end(call: string): void {
    const one = this._known.get(call) ?? { messageId: '', answer: null, over: true, posting: false };
    one.over = true;
    one.answer = null;
    this._known.set(call, one);
    this._forgetOldest();
  }

  private _forgetOldest(): void {
    for (const [call, one] of this._known) {
      if (this._known.size <= MOST_CALLS) {
        return;
      }
      one.over = true;
      this._known.delete(call);
    }
  }

  private _known = new Map<string, Known>();
}

const bytes = (text: string): number => new TextEncoder().encode(text).length;
const fits = (text: string): boolean => text.length <= LONGEST_ANSWER;

function failure(call: string, error: unknown): ToolAnswer {
  if (!(error instanceof PageFailure)) {
    console.error('A tool could not be served by the page.', error);
    return { type: 'tool_answer', call, error: 'failed' };
  }
  const result = error.result === undefined ? undefined : JSON.stringify(error.result);
  const told = result !== undefined && fits(result) ? { result } : {};
  return { type: 'tool_answer', call, error: error.code, ...told };
}
