import { beforeEach, describe, expect, it } from 'vitest';

import { requestsBehind } from '../../src/chat/questions';
import { accept, begin, chat, draft, end, now, online, R1, R2, sent, server } from '../chatPage';
import { prompt, reply, uuid } from '../support';

beforeEach(() => {
  begin();
  online();
  chat.edit('a draft');
  chat.attach([{ name: 'a', text: 'mine' }]);
});

describe('words that are sent beside the draft', () => {
  it('leave it as it is, with what is attached to it (C2)', () => {
    expect(chat.ask({ text: 'fix it', attachments: [{ name: 'cell', text: 'x' }] })).toBe(R1);
    expect(sent('send')).toMatchObject([{ body: 'fix it', attachments: [{ name: 'cell' }] }]);
    expect([draft(), now().prompt.draft.attachments.length]).toEqual(['a draft', 1]);
  });

  it('come back in a chip where they are refused or stopped (C2)', () => {
    chat.ask({ text: 'fix it', attachments: [] });
    server().say({ type: 'error', code: 'busy', message: 'busy', request_id: R1 });
    expect([draft(), now().prompt.chip?.text]).toEqual(['a draft', 'fix it']);
  });

  it.each(['refused', 'stopped'])('do not, where they are kept elsewhere: %s (C7)', how => {
    chat.ask({ text: 'write it', attachments: [] }, { elsewhere: true });
    if (how === 'refused') {
      server().say({ type: 'error', code: 'busy', message: 'busy', request_id: R1 });
    } else {
      accept(1, R1);
      chat.stop();
      end(2, 'interrupted', '');
    }
    expect([draft(), now().prompt.chip]).toEqual(['a draft', null]);
  });

  it('are stopped by their request, and nothing else is (C7)', () => {
    chat.ask({ text: 'one', attachments: [] }, { elsewhere: true });
    accept(1, R1, 'one');
    chat.ask({ text: 'two', attachments: [] }, { elsewhere: true });
    accept(3, R2, 'two', { state: 'queued' });
    expect(chat.stopRequest(R2)).toBe(true);
    expect(sent('unqueue')).toMatchObject([{ message_id: uuid(4) }]);
    expect(sent('stop')).toHaveLength(0);
    expect(chat.stopRequest(R1)).toBe(true);
    expect(sent('stop')).toMatchObject([{ message_id: uuid(2) }]);
    end(2, 'interrupted', '');
    expect(chat.stopRequest(R1)).toBe(false);
    expect(chat.stopRequest('unknown')).toBe(false);
  });
});

describe('the requests behind a reply', () => {
  const messages = [
    prompt(1, 'fix', { attachments: [{ name: 'cell', text: 'x' }] }),
    reply(2, { reply_to: uuid(1), request_id: 'first' }),
    reply(3, { reply_to: uuid(1), request_id: 'anew', version_of: uuid(2) }),
    prompt(4, 'and now?', { reply_to: uuid(3) }),
    reply(5, { reply_to: uuid(4), request_id: 'second' }),
    prompt(6, 'another', { reply_to: uuid(5), attachments: [{ name: 'b', text: 'y' }] }),
    reply(7, { reply_to: uuid(6), request_id: 'third' })
  ];
  const behind = (n: number): string[] => {
    server().say({ type: 'accepted', request_id: R1, chat_id: uuid(0xc0), user_message: messages[0], message: messages[1] });
    const view = { ...now().chat, messages: messages.map(info => ({ ...info, info, late: '', frozen: false, cut: null, stopFailed: null, reasoning: '' })) };
    return requestsBehind(view, uuid(n));
  };

  it('are its own, also where it was made anew, and those that led to it (C3)', () => {
    expect(behind(2)).toEqual(['first', 'anew']);
    expect(behind(5)).toEqual(['second', 'first', 'anew']);
  });

  it('end where something else was asked about (C3)', () => {
    expect(behind(7)).toEqual(['third']);
    expect(behind(99)).toEqual([]);
  });

  it.each([
    ['where the person was', 'Notebook: a.ipynb, cell 2', ['second', 'first', 'anew']],
    ['what the prompt names', '@cell – cell 2 of a.ipynb', ['second']]
  ])('end with what is asked about, and %s is told with each prompt (C3)', (_, name, found) => {
    const { attachments } = messages[3];
    messages[3].attachments = [{ name, text: 'z', kind: 'context' }];
    expect(behind(5)).toEqual(found);
    messages[3].attachments = attachments;
  });
});
