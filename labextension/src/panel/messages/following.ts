/** Whether a view stays at the end of its messages: until the person scrolls away from it. */

/** How near to the end counts as the end, in pixels. */
const NEAR = 32;
/** How long after a movement of the person's hand a scroll counts as theirs, in milliseconds. */
const HAND = 1000;
/** The keys that scroll up, or take the focus to what may be further up. */
const KEYS_UP = ['ArrowUp', 'PageUp', 'Home', 'Tab'];

/** What of it is shown. */
export interface EndInSight {
  /** The end is out of sight. */
  readonly away: boolean;
  /** Something came there meanwhile. */
  readonly news: boolean;
}

/** What keeps a list at its end, and notices when the person leaves it. */
export class Following {
  /** @param now the time, in milliseconds. */
  constructor(private _now: () => number) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  readonly getSnapshot = (): EndInSight => this._shown;

  /** Follow the end of a list from now on; return a function that ends it. */
  attach(list: HTMLElement): () => void {
    this._list = list;
    const heard: [string, (event: Event) => void][] = [
      ['scroll', () => this._scrolled()],
      ['wheel', event => (event as WheelEvent).deltaY < 0 && this._note()],
      ['touchmove', () => this._note()],
      ['keydown', event => this._pressed(event as KeyboardEvent)],
      ['focusin', event => isByKey(event) && this._note()],
      ['pointerdown', event => (this._held = event.target === list)], // on its scrollbar
      ['pointerup', () => (this._held = false)],
      ['pointermove', event => this._moved(event as PointerEvent)]
    ];
    heard.forEach(([type, hear]) => list.addEventListener(type, hear, { passive: true }));
    return () => {
      heard.forEach(([type, hear]) => list.removeEventListener(type, hear));
      this._list = null;
    };
  }

  /** Go to the end, and follow it again. */
  toEnd(): void {
    this._follow(true);
    this._pin();
  }

  /** Something has another size: text came, an image was loaded, the panel was made narrower. */
  sized(): void {
    if (this._follows) {
      this._pin();
    } else {
      this._show({ away: this._left() > NEAR });
    }
  }

  /** More text was drawn. */
  grown(): void {
    // who is at the end follows when the page has laid the new text out anyway: to scroll here
    // would have it laid out twice
    if (!this._follows) {
      this._show({ news: true });
    }
  }

  private _scrolled(): void {
    const list = this._list;
    if (!list || list.clientHeight === 0) {
      return; // it is not shown
    }
    // what is drawn also moves the view, for one where it becomes shorter; that is nobody's wish
    const isUp = list.scrollTop < this._top;
    const isTheirs = this._held || this._now() - this._hand < HAND;
    const left = this._left();
    this._top = list.scrollTop;
    if (left < 2 || (left < NEAR && !(isUp && isTheirs))) {
      this._follow(true);
    } else if (isUp && isTheirs) {
      this._note(); // a finger that has let go still scrolls
      this._follow(false);
    } else if (this._follows) {
      this._pin();
    }
    this._show({ away: !this._follows && left > NEAR });
  }

  private _pressed(event: KeyboardEvent): void {
    const isField = event.target instanceof Element && event.target.matches('input, textarea');
    const isUp = KEYS_UP.includes(event.key) || (event.key === ' ' && event.shiftKey);
    if (isUp && !isField) {
      this._note();
    }
  }

  /** A pressed pointer that selects text scrolls where it leaves the list. */
  private _moved(event: PointerEvent): void {
    if (event.buttons === 0) {
      this._held = false;
    } else if (document.getSelection()?.isCollapsed === false) {
      this._note();
    }
  }

  private _note(): void {
    this._hand = this._now();
  }

  private _pin(): void {
    const list = this._list;
    if (list && list.clientHeight > 0) {
      list.scrollTop = list.scrollHeight;
      this._top = list.scrollTop;
    }
  }

  /** How far the end is below what is seen, in pixels. */
  private _left(): number {
    const list = this._list;
    return list ? list.scrollHeight - list.scrollTop - list.clientHeight : 0;
  }

  private _follow(follows: boolean): void {
    this._follows = follows;
    if (this._list) {
      // who reads further up keeps the place, whatever grows above it
      this._list.style.overflowAnchor = follows ? '' : 'auto';
    }
    if (follows) {
      this._show({ away: false, news: false });
    }
  }

  private _show(change: Partial<EndInSight>): void {
    const next = { ...this._shown, ...change };
    if (next.away !== this._shown.away || next.news !== this._shown.news) {
      this._shown = next;
      [...this._listeners].forEach(listener => listener());
    }
  }

  private _list: HTMLElement | null = null;
  private _follows = true;
  /** Where the view was when it was last looked at. */
  private _top = 0;
  /** When the person last turned the wheel up, pressed a key or dragged here. */
  private _hand = -Infinity;
  /** The scrollbar is held. */
  private _held = false;
  private _shown: EndInSight = { away: false, news: false };
  private _listeners = new Set<() => void>();
}

/** The focus came by the keyboard, not by a click. */
function isByKey(event: Event): boolean {
  return event.target instanceof Element && event.target.matches(':focus-visible');
}
