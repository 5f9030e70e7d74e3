/** Typeset the formulas of a piece, and let its words wait for them only so long. */
import { harden } from './cleaning';
import { MATH_CLASS } from './parser';
import { isHarmless } from './texCommands';

/** Formulas of one piece: more than these are shown as they were written. */
const MOST = 1000;
/**
 * So long the words wait for the next formula, in milliseconds. JupyterLab loads what typesets
 * when it is first used, and tries it once: if that did not come, no later formula does.
 */
export const PATIENCE = 5000;

export interface TypesettingOptions {
  /** Put what typesetting makes in the place of what was written. */
  typeset: (formula: HTMLElement) => Promise<void>;
  /** Do a piece of work in its turn. */
  inTurn: (work: () => Promise<void>) => Promise<void>;
  /** Call after so many milliseconds; return what ends it. */
  after: (ms: number, what: () => void) => () => void;
}

/**
 * Typeset the formulas within an element, one after the other.
 *
 * A formula that cannot be typeset stays as it was written; one that takes too long, and those
 * behind it, take their places when they come.
 */
export async function typesetFormulas(
  root: HTMLElement,
  options: TypesettingOptions
): Promise<void> {
  const formulas = [...root.querySelectorAll<HTMLElement>(`.${MATH_CLASS}`)]
    .slice(0, MOST)
    .filter(formula => isHarmless(formula.textContent ?? ''));
  const one = async (formula: HTMLElement): Promise<void> => {
    try {
      // a renderer that is not attached does not typeset by itself; nothing else is searched
      await options.inTurn(() => options.typeset(formula));
    } catch (error) {
      console.warn('stop-chat: a formula could not be typeset', error);
    }
    harden(formula);
  };
  const all = async (): Promise<void> => {
    for (const formula of formulas) {
      const cancel = options.after(PATIENCE, goOn);
      await one(formula);
      cancel();
    }
    goOn();
  };
  let goOn = (): void => undefined;
  await new Promise<void>(resolve => {
    goOn = resolve;
    void all();
  });
}
