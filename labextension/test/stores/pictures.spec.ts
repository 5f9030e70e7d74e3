/** W21: pictures that the page shows, each fetched once and let go of. */
import { beforeEach, describe, expect, it } from 'vitest';

import { Pictures } from '../../src/stores/pictures';

let asked: string[];
let answers: ((picture: Blob | null) => void)[];
let timers: (() => void)[];
let revoked: string[];
let told: number;
let pictures: Pictures;

beforeEach(() => {
  [asked, answers, timers, revoked, told] = [[], [], [], [], 0];
  pictures = new Pictures({
    fetch: digest => {
      asked.push(digest);
      return new Promise((resolve, reject) =>
        answers.push(picture => (picture ? resolve(picture) : reject(new Error('gone'))))
      );
    },
    makeUrl: () => `blob:${asked.length}`,
    revokeUrl: url => revoked.push(url),
    after: (_, what) => timers.push(what)
  });
});

const listen = (): (() => void) => pictures.subscribe('a', () => (told += 1));
const answer = async (n: number, picture: Blob | null): Promise<void> => {
  answers[n](picture);
  await Promise.resolve().then(() => undefined).then(() => undefined);
};

describe('a picture', () => {
  it('is fetched once for all who show it, and let go of after the last', async () => {
    const ends = [listen(), listen()];
    expect(pictures.get('a').state).toBe('loading');
    await answer(0, new Blob());
    expect(pictures.get('a')).toEqual({ state: 'here', url: 'blob:1' });
    expect([asked.length, told]).toEqual([1, 2]);
    ends[0]();
    expect(timers).toHaveLength(0);
    ends[1]();
    const back = listen(); // it moved from the input to the list
    timers[0]();
    expect(revoked).toEqual([]);
    back();
    timers[1]();
    expect(revoked).toEqual(['blob:1']);
    listen();
    expect(asked).toHaveLength(2);
  });

  it('that is gone says so, and is asked for again when it is shown again', async () => {
    listen();
    await answer(0, null);
    expect(pictures.get('a').state).toBe('missing');
    listen();
    await answer(1, new Blob());
    expect(pictures.get('a').state).toBe('here');
  });

  it('that comes when nobody shows it any more makes no address', async () => {
    listen()();
    timers[0]();
    await answer(0, new Blob());
    expect(revoked).toEqual([]);
    expect(pictures.get('a').state).toBe('loading');
  });
});
