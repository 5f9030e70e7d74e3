/** The variables of a kernel that is busy, silent, away, or another one than Python's. */
import { ISessionContext } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { variablesOf } from '../../../src/lab/place/variables';

const trans = nullTranslator.load('');
let requests: { silent: boolean; store_history: boolean }[];
let disposed: number;
let answer: (content: unknown) => void;
/** What JupyterLab does with what a kernel was asked when it is restarted. */
let restart: () => void;

function kernelThatIs(status: string): ISessionContext {
  const requestExecute = (content: { silent: boolean; store_history: boolean }): unknown => {
    requests.push(content);
    return {
      done: new Promise((resolve, reject) => {
        answer = told => resolve({ content: told });
        restart = () => reject(new Error('Canceled future for execute_request message'));
      }),
      dispose: () => (disposed += 1)
    };
  };
  return { session: { kernel: { status, requestExecute } } } as unknown as ISessionContext;
}

const ask = (context: ISessionContext, language = 'python', signal = new AbortController().signal) =>
  variablesOf(context, language, trans, signal);

const telling = (value: unknown): unknown => ({
  user_expressions: { variables: { data: { 'text/plain': `'${btoa(JSON.stringify(value))}'` } } }
});

beforeEach(() => {
  vi.useFakeTimers();
  [requests, disposed] = [[], 0];
});

afterEach(() => {
  vi.useRealTimers();
});

describe('the variables of a kernel', () => {
  it('are asked for silently, and told one a line', async () => {
    const told = ask(kernelThatIs('idle'));
    expect(requests).toMatchObject([
      { code: '', silent: true, store_history: false, allow_stdin: false, stop_on_error: false }
    ]);
    answer(telling([3, [['a', 'int', ''], ['b', 'ndarray', 'shape (2, 3)']]]));
    expect(await told).toBe('a: int\nb: ndarray, shape (2, 3)\n(and 1 older ones)');
    expect(disposed).toBe(1);
  });

  it.each([
    ['busy', 'The kernel is busy'],
    ['restarting', 'The kernel is not ready'],
    ['dead', 'The kernel is not ready']
  ])('are not asked for while it is %s', async (status, sentence) => {
    await expect(ask(kernelThatIs(status))).rejects.toThrow(sentence);
    expect(requests).toEqual([]);
  });

  it('are not asked for in another language, or without a kernel', async () => {
    await expect(ask(kernelThatIs('idle'), 'R')).rejects.toThrow('knows Python only, and this kernel runs R.');
    await expect(ask({ session: null } as ISessionContext)).rejects.toThrow('needs a kernel');
    expect(requests).toEqual([]);
  });

  it('are waited for no longer than a moment', async () => {
    const told = expect(ask(kernelThatIs('idle'))).rejects.toThrow('The kernel did not answer');
    await vi.advanceTimersByTimeAsync(3000);
    await told;
    expect(disposed).toBe(1);
  });

  it('are not known where it is restarted meanwhile, or is gone as it is asked', async () => {
    const told = expect(ask(kernelThatIs('idle'))).rejects.toThrow('The kernel did not answer');
    restart();
    await told;
    expect(disposed).toBe(1);
    const gone = kernelThatIs('idle');
    (gone.session?.kernel as { requestExecute: unknown }).requestExecute = () => {
      throw new Error('Kernel is dead');
    };
    const stop = new AbortController();
    await expect(ask(gone, 'python', stop.signal)).rejects.toThrow('The kernel did not answer');
    const refused = vi.fn();
    process.on('unhandledRejection', refused);
    stop.abort(); // later, when nobody waits for it any more
    vi.useRealTimers();
    await new Promise(resolve => setTimeout(resolve));
    process.off('unhandledRejection', refused);
    expect(refused).not.toHaveBeenCalled();
  });

  it('are waited for no longer than the person wants', async () => {
    const stop = new AbortController();
    const told = expect(ask(kernelThatIs('idle'), '', stop.signal)).rejects.toThrow();
    stop.abort();
    await told;
    expect(disposed).toBe(1);
  });

  it.each([[{}], [{ status: 'error' }], [telling(5)], [{ user_expressions: { variables: {} } }]])(
    'are not known where it answers %j',
    async content => {
      const told = expect(ask(kernelThatIs('idle'))).rejects.toThrow('did not tell its variables');
      answer(content);
      await told;
    }
  );
});
