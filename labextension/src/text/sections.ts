/**
 * The settled blocks of a text, a few to a section.
 *
 * What is out of sight is neither laid out nor painted, but the browser asks each such element in
 * each frame whether it has come into sight: a long reply has hundreds of blocks, and few sections.
 */

/** So many blocks make a section: about a screen. The style sheet guesses its height from it. */
const SIZE = 16;

export class Sections {
  constructor(private _host: HTMLElement) {}

  /** Put blocks behind those that are there; nothing but sections may be in the host. */
  append(nodes: readonly HTMLElement[]): void {
    for (let at = 0; at < nodes.length; ) {
      let last = this._host.lastElementChild;
      if (!last || last.childElementCount >= SIZE) {
        last = document.createElement('div');
        last.className = 'jp-StopChat-section';
        this._host.append(last);
      }
      const some = nodes.slice(at, at + SIZE - last.childElementCount);
      last.append(...some);
      at += some.length;
      this._mark(last);
    }
  }

  /** Remove a block. */
  remove(node: HTMLElement): void {
    const section = node.parentElement;
    node.remove();
    if (section?.childElementCount === 0) {
      section.remove();
    } else if (section) {
      this._mark(section);
    }
  }

  /** A full section is one thing out of sight; in one that grows, each block is for itself. */
  private _mark(section: Element): void {
    section.classList.toggle('jp-mod-full', section.childElementCount >= SIZE);
  }
}
