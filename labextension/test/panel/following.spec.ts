// @vitest-environment jsdom
import { beforeEach, expect, it } from 'vitest';

import { Following } from '../../src/panel/messages/following';

let now: number;
let list: HTMLElement;
let following: Following;
let end: () => void;
/** How high all messages are, and how much of them is seen. */
let height: number;
let seen: number;

beforeEach(() => {
  [now, height, seen] = [5000, 1000, 200];
  list = document.createElement('div');
  let top = 0;
  Object.defineProperties(list, {
    scrollHeight: { get: () => height },
    clientHeight: { get: () => seen },
    scrollTop: {
      get: () => Math.min(top, height - seen),
      set: (wanted: number) => (top = Math.max(0, Math.min(wanted, height - seen)))
    }
  });
  following = new Following(() => now);
  end = following.attach(list);
  following.sized();
});

const left = (): number => height - list.scrollTop - seen;
const hear = (type: string, more: object = {}): void => {
  list.dispatchEvent(Object.assign(new Event(type), more));
};
/** Scroll, as the person or as the page does, and have it told of. */
const scroll = (by: number): void => {
  list.scrollTop += by;
  hear('scroll');
};
const wheelUp = (by: number): void => {
  hear('wheel', { deltaY: -by });
  scroll(-by);
};

it('U5: is at the end after every change of size', () => {
  expect(left()).toBe(0);
  height += 140; // the line below a reply
  following.sized();
  expect(left()).toBe(0);
  seen -= 60; // a chip above the input
  following.sized();
  expect(left()).toBe(0);
});

it('U5: is not let go by what the page does, also just after a click or a key', () => {
  const button = list.appendChild(document.createElement('button'));
  hear('keydown', { key: 'Enter' });
  button.dispatchEvent(new Event('pointerdown', { bubbles: true }));
  hear('pointermove', { buttons: 1 });
  // the line with Continue goes away, the view moves up with it, and more text has come since
  height -= 40;
  const before = list.scrollTop;
  height += 47;
  list.scrollTop = before;
  hear('scroll');
  expect(left()).toBe(0);
  // what a scroll tells of is old by now
  height += 140;
  hear('scroll');
  expect(left()).toBe(0);
  expect(following.getSnapshot()).toEqual({ away: false, news: false });
});

it('U5: is let go by the wheel, and by little of it', () => {
  wheelUp(10);
  height += 300;
  following.sized();
  expect(left()).toBe(310);
});

it.each([
  ['a key', () => hear('keydown', { key: 'PageUp' })],
  ['a finger', () => hear('touchmove')],
  ['the scrollbar', () => hear('pointerdown')]
])('U5: is let go by %s', (_, move) => {
  move();
  scroll(-100);
  following.sized();
  expect(left()).toBe(100);
});

it('U5: is not let go by what was done long ago', () => {
  hear('wheel', { deltaY: -100 });
  now += 5000;
  scroll(-100);
  expect(left()).toBe(0);
});

it('U5: follows again from the end on', () => {
  wheelUp(100);
  scroll(100);
  height += 50;
  following.sized();
  expect(left()).toBe(0);
});

it('U32: tells that the end is out of sight, idle or not, and of what came there', () => {
  wheelUp(100);
  expect(following.getSnapshot()).toEqual({ away: true, news: false });
  following.grown();
  expect(following.getSnapshot()).toEqual({ away: true, news: true });
  following.toEnd();
  expect(left()).toBe(0);
  expect(following.getSnapshot()).toEqual({ away: false, news: false });
  following.grown();
  expect(following.getSnapshot().news).toBe(false);
});

it('hears nothing of a list that it was taken from', () => {
  end();
  scroll(-100);
  expect(left()).toBe(100);
});
