/** Typeset the formulas of a piece, and let its words wait for them only so long. */
import { harden } from "../cleaning";
import { MATH_CLASS } from "../parser";
import { isHarmless } from "./texCommands";

/** Formulas of one piece: more than these are shown as they were written. */
const MOST = 1000;
/**
 * So long the words wait for the next formula, in milliseconds. JupyterLab loads what typesets
 * when it is first used, and tries it once: if that did not come, no later formula does.
 */
const PATIENCE = 5000;

export interface TypesettingOptions {
  /** Put what typesetting makes in the place of what was written. */
  typeset: (formula: HTMLElement) => Promise<void>;
  /** Do a piece of work in its turn. */
  inTurn: (work: () => Promise<void>) => Promise<void>;
  /** Call after so many milliseconds; return what ends it. */
  after: (ms: number, what: () => void) => () => void;
}

/** What typesets the formulas of all pieces. */
export class Typesetting {
  constructor(private _options: TypesettingOptions) {}

  /**
   * Typeset the formulas within an element, one after the other.
   *
   * A formula that cannot be typeset stays as it was written; one that takes too long, and those
   * behind it, take their places when they come. While one is waited for in vain, the words of
   * other pieces do not wait at all.
   */
  async typeset(root: HTMLElement): Promise<void> {
    const formulas = [...root.querySelectorAll<HTMLElement>(`.${MATH_CLASS}`)]
      .slice(0, MOST)
      .filter((formula) => isHarmless(formula.textContent ?? ""));
    await new Promise<void>((resolve) => {
      void this._all(formulas, resolve).then(resolve);
    });
  }

  private async _all(formulas: HTMLElement[], goOn: () => void): Promise<void> {
    for (const formula of formulas) {
      const giveUp = (): void => {
        this._late.add(formula);
        goOn();
      };
      const cancel = this._options.after(
        this._late.size ? 0 : PATIENCE,
        giveUp,
      );
      try {
        // a renderer that is not attached does not typeset by itself; nothing else is searched
        await this._options.inTurn(() => this._options.typeset(formula));
      } catch (error) {
        console.warn("stop-chat: a formula could not be typeset", error);
      }
      cancel();
      this._late.delete(formula);
      // the words may be shown already
      harden(formula);
    }
  }

  /** What has not come in time, and may never come. */
  private _late = new Set<HTMLElement>();
}
