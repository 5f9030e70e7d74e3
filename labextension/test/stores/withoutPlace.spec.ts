/** By what the tabs of chats come back after a reload. */
import { beforeEach, expect, it } from 'vitest';

import { accept, begin, chat, online, R1, shownChat } from '../chatPage';
import { CHAT } from '../support';
import { tabArgs } from '../../src/stores/withoutPlace';

beforeEach(() => {
  begin();
  online();
});

it('are their chats, and whether a new one tells where the person is', () => {
  expect(tabArgs(shownChat)).toEqual({ chatId: null });
  chat.perChat.tellPlace(false);
  expect(tabArgs(shownChat)).toEqual({ chatId: null, withoutPlace: true });
  chat.perChat.tellPlace(true);
  expect(tabArgs(shownChat)).toEqual({ chatId: null });
  chat.perChat.tellPlace(false);
  chat.edit('Hello');
  chat.send();
  accept(1, R1);
  expect(tabArgs(shownChat)).toEqual({ chatId: CHAT }); // it is kept by its id from here on
});
