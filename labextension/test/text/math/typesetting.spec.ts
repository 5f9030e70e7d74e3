// @vitest-environment jsdom
import { afterEach, describe, expect, it, vi } from "vitest";

import { MATH_CLASS } from "../../../src/text/parser";
import { Typesetting } from "../../../src/text/math/typesetting";

function piece(...formulas: string[]): HTMLElement {
  const root = document.createElement("div");
  for (const formula of formulas) {
    const made = root.appendChild(document.createElement("span"));
    made.className = MATH_CLASS;
    made.textContent = formula;
  }
  return root;
}

/** What typesets, and the moment at which patience ends. */
function machine(typeset: (formula: HTMLElement) => Promise<void>) {
  const patience: (() => void)[] = [];
  const options = {
    typeset,
    inTurn: (work: () => Promise<void>) => work(),
    after: (_ms: number, what: () => void) => {
      patience.push(what);
      return () => patience.splice(patience.indexOf(what), 1);
    },
  };
  return { options, patience };
}

const write = (formula: HTMLElement): Promise<void> => {
  const within = `<i class="jp-evil" id="x">${formula.textContent}</i>`;
  formula.innerHTML = `<mjx-container>${within}</mjx-container>`;
  return Promise.resolve();
};

afterEach(() => vi.restoreAllMocks());

describe("typesetFormulas", () => {
  it("typesets each, and takes what could reach beyond it", async () => {
    const { options, patience } = machine(write);
    const root = piece("$a$", "$\\href{x}{b}$", "$c$");
    await new Typesetting(options).typeset(root);
    expect(root.textContent).toBe("$a$$\\href{x}{b}$$c$");
    expect(root.querySelectorAll("mjx-container")).toHaveLength(2);
    expect(root.querySelectorAll("[id], .jp-evil")).toHaveLength(0);
    expect(patience).toEqual([]);
  });

  it("leaves one that fails as it was written", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const { options } = machine((formula) =>
      formula.textContent === "$a$"
        ? Promise.reject(new Error("Loading chunk 7626 failed."))
        : write(formula),
    );
    const root = piece("$a$", "$b$");
    await new Typesetting(options).typeset(root);
    expect(root.innerHTML).toContain(">$a$</span>");
    expect(root.querySelectorAll("mjx-container")).toHaveLength(1);
    expect(console.warn).toHaveBeenCalledTimes(1);
  });

  it("does not wait for what never comes, and takes it when it does", async () => {
    let come = (): void => undefined;
    const coming = new Promise<void>((resolve) => (come = resolve));
    const { options, patience } = machine((formula) =>
      coming.then(() => write(formula)),
    );
    const root = piece("$a$", "$b$");
    const shown = new Typesetting(options).typeset(root);
    patience[0]();
    await shown;
    expect(root.querySelectorAll("mjx-container")).toHaveLength(0);
    come();
    await vi.waitFor(() =>
      expect(root.querySelectorAll("mjx-container")).toHaveLength(2),
    );
    expect(root.querySelectorAll("[id], .jp-evil")).toHaveLength(0);
  });

  it("waits for one in vain once, not for each piece", async () => {
    let come = (): void => undefined;
    const coming = new Promise<void>((resolve) => (come = resolve));
    const waits: number[] = [];
    const { options, patience } = machine((formula) =>
      coming.then(() => write(formula)),
    );
    const { after } = options;
    options.after = (ms, what) => {
      waits.push(ms);
      return after(ms, what);
    };
    const typesetting = new Typesetting(options);
    const pieces = [piece("$a$"), piece("$b$")];
    for (const root of pieces) {
      const shown = typesetting.typeset(root);
      patience[patience.length - 1]();
      await shown;
    }
    expect(waits).toEqual([expect.any(Number), 0]);
    expect(waits[0]).toBeGreaterThan(0);
    come();
    await vi.waitFor(() =>
      expect(
        pieces.map((root) => root.querySelectorAll("mjx-container").length),
      ).toEqual([1, 1]),
    );
    // it works again: the next piece waits for its formulas
    await typesetting.typeset(piece("$c$"));
    expect(waits[2]).toBe(waits[0]);
  });
});
