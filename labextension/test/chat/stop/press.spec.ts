/** The press of Stop, and the prompt that comes back. */
import { beforeEach, describe, expect, it } from 'vitest';

import {
  begin,
  clock,
  chat,
  told,
  R1,
  R2,
  start,
  set,
  server,
  now,
  mode,
  draft,
  sent,
  accept,
  delta,
  end,
  online,
  ask,
  running
} from '../../chatPage';
import { visible } from '../../../src/chat/selectors';
import { Stop } from '../../../src/wire/protocol';
import { CHAT, prompt, reply, uuid } from '../../support';

beforeEach(begin);

describe('Stop', () => {
  it('freezes the text in the same call, before any answer (S1)', () => {
    running();
    const before = told;
    chat.stop();
    expect(told).toBe(before + 1);
    delta(2, 9, ' and late');
    expect(now().chat.messages[1].text).toBe('some text');
    expect(mode()).toBe('stopping');
    expect(sent('stop')).toEqual([{ type: 'stop', message_id: uuid(2), shown: 9 }]);
  });

  it('says how much was on the screen, and keeps no more (B4)', () => {
    running();
    chat.reportShown(uuid(2), () => 4);
    chat.stop();
    expect(sent('stop')[0]).toMatchObject({ shown: 4 });
    end(2, 'interrupted', 'some');
    expect(now().chat.messages[1].text).toBe('some');
    expect(mode()).toBe('send');
  });

  it('is sent once, however often it is pressed (V7)', () => {
    running();
    for (let n = 0; n < 20; n += 1) {
      chat.click();
      chat.stop();
    }
    expect(sent('stop')).toHaveLength(1);
    end(2, 'interrupted', 'some text');
    clock.advance(60000);
    expect(sent('stop')).toHaveLength(1);
    expect(draft()).toBe('question');
  });

  it('goes by the request between Enter and the answer (J2, S6)', () => {
    online();
    ask();
    chat.stop();
    expect(sent('stop')).toEqual([{ type: 'stop', request_id: R1, shown: 0 }]);
    expect(draft()).toBe('question');
    accept(1, R1);
    delta(2, 0, 'late');
    expect(now().chat.messages[1].text).toBe('');
    expect(mode()).toBe('stopping');
    end(2, 'interrupted', '');
    server().say({ type: 'stop_result', request_id: R1, results: [{ outcome: 'interrupted' }] });
    expect(mode()).toBe('send');
    clock.advance(60000);
    expect(sent('stop')).toHaveLength(1);
  });

  it('of a prompt that never left the page sends nothing at all', () => {
    start(null);
    ask();
    chat.stop();
    expect(mode()).toBe('send');
    expect(draft()).toBe('question');
    server().greet();
    expect(server().sent).toEqual([]);
  });

  it('does nothing when nothing is being made', () => {
    online();
    expect(chat.stop()).toBe(false);
    expect(server().sent).toEqual([]);
  });

  it('is tried again, then said to have failed, and never claimed (V3)', () => {
    running();
    server().drop();
    chat.stop();
    expect(mode()).toBe('stopping');
    clock.advance(3000);
    expect(mode()).toBe('stop');
    expect(now().chat.messages[1]).toMatchObject({ stopFailed: 'offline', frozen: false });
    expect(draft()).toBe('');
    server().greet();
    expect(sent('stop')).toEqual([]);
    chat.stop();
    expect(sent('stop')).toHaveLength(1);
    expect(now().chat.messages[1].stopFailed).toBeNull();
  });

  it('is sent as soon as the connection is back', () => {
    running();
    server().drop();
    chat.stop();
    clock.advance(300);
    server().greet();
    expect(sent('stop')).toHaveLength(1);
    clock.advance(2700);
    expect(mode()).toBe('stopping');
  });

  it('discards the turn when that is what is set (V4)', () => {
    set({ onStop: 'discard' });
    running();
    chat.stop();
    expect((sent('stop')[0] as Stop).discard).toBe(true);
    end(2, 'interrupted', '', {
      stop: { reason: 'user', requested_at: '', provider: 'closed', discarded: true }
    });
    expect(visible(now().chat)).toEqual([]);
    expect(draft()).toBe('question');
  });

  it('of everything reaches every chat (J4)', () => {
    running();
    chat.stopAll();
    expect(sent('stop')).toContainEqual({ type: 'stop', all: true, press: expect.any(String) as string });
    server().say({ type: 'stop_result', all: true, results: [] });
    end(2, 'interrupted', 'some text');
    clock.advance(60000);
    expect(sent('stop')).toHaveLength(2);
    expect(now().chat.notice).toBeNull();
  });

  it('and send asks the draft in its place, and gives nothing back (J5)', () => {
    running();
    chat.edit('rather this');
    expect(chat.stopAndSend()).toBe(true);
    expect(now().chat.messages[1]).toMatchObject({ frozen: true, text: 'some text' });
    expect(server().sent.slice(-2)).toMatchObject([
      { type: 'stop', message_id: uuid(2), shown: 9 },
      { type: 'send', body: 'rather this', policy: 'interrupt', chat_id: CHAT }
    ]);
    expect(draft()).toBe('');
    expect(now().prompt.chip).toBeNull();
  });

  it('of one message is for the one that is made, or takes one out of the queue (J4)', () => {
    running();
    ask('second');
    accept(3, R2, 'second', { state: 'queued' });
    expect(chat.stopMessage(uuid(4))).toBe(true);
    expect(sent('unqueue')).toEqual([{ type: 'unqueue', message_id: uuid(4) }]);
    expect(chat.stopMessage(uuid(1))).toBe(false);
    expect(sent('stop')).toEqual([]);
    expect(chat.stopMessage(uuid(2))).toBe(true);
    expect(sent('stop')).toHaveLength(1);
  });

  it('leaves the prompt where it is when that is what is set', () => {
    set({ restorePrompt: false });
    running();
    chat.stop();
    expect(draft()).toBe('');
  });

  it('gives back what would be nowhere else, whatever is set', () => {
    set({ onStop: 'discard', policy: null, restorePrompt: false });
    running();
    chat.stop();
    expect(draft()).toBe('question');
    end(2, 'interrupted', '', {
      stop: { reason: 'user', requested_at: '', provider: 'closed', discarded: true }
    });
    chat.edit('');
    set({ onStop: 'keep' });
    server().drop();
    ask('never sent');
    chat.stop();
    expect(draft()).toBe('never sent');
  });

  it('asks again for a chat whose message the server does not know', () => {
    running();
    chat.stop();
    server().say({ type: 'stop_result', message_id: uuid(2), results: [{ outcome: 'not_found' }] });
    expect(sent('open')).toHaveLength(1);
  });
});

describe('the prompt', () => {
  it('comes back at Stop (L7), or as a chip beside a newer draft', () => {
    running();
    chat.edit('newer');
    chat.stop();
    expect(draft()).toBe('newer');
    expect(now().prompt.chip?.text).toBe('question');
  });

  it('is taken back when the reply won the race', () => {
    running();
    chat.stop();
    expect(draft()).toBe('question');
    end(2, 'completed', 'some text to its end');
    expect(draft()).toBe('');
    expect(now().chat.messages[1].text).toBe('some text to its end');
  });

  it('is not sent by a double click on Stop', () => {
    running();
    chat.click();
    end(2, 'interrupted', 'some text');
    chat.click();
    clock.advance(399);
    chat.click();
    expect(sent('send')).toHaveLength(1);
    clock.advance(1);
    chat.click();
    expect(sent('send')).toHaveLength(2);
  });

  it('can be sent again by Enter at once, in the right order (J5)', () => {
    running();
    chat.stop();
    chat.send();
    expect(server().sent.map(frame => frame.type)).toEqual(['send', 'stop', 'send']);
  });

  it('does not come back for a reply that was made anew', () => {
    running();
    end(2, 'interrupted', 'some');
    chat.regenerate(uuid(2));
    expect(mode()).toBe('stop');
    const again = { version_of: uuid(2), reply_to: uuid(1), request_id: R2 };
    server().say({
      type: 'accepted',
      request_id: R2,
      chat_id: CHAT,
      user_message: prompt(1, 'question'),
      message: reply(3, again)
    });
    chat.stop();
    expect(draft()).toBe('');
  });

  it('does not come back for a reply that was gone on from', () => {
    running();
    end(2, 'interrupted', 'some');
    chat.continueFrom(uuid(2));
    accept(1, R2, 'question', { text: '', text_offset: 4, text_length: 4 });
    expect(mode()).toBe('stop');
    delta(2, 4, ' more');
    expect(now().chat.messages[1].text).toBe('some more');
    chat.stop();
    expect(sent('stop')[0]).toMatchObject({ shown: 9 });
    expect(draft()).toBe('');
  });
});
