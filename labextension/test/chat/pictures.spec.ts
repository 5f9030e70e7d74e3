/** W24: a picture goes with a prompt as its words do. */
import { beforeEach, describe, expect, it } from 'vitest';

import {
  ASSUMED,
  cellText,
  hasPicture,
  kindOf,
  outputPictures,
  outputsText,
  placesOf,
  refuses
} from '../../src/chat/attachments';
import { Attachment } from '../../src/wire/protocol';
import { accept, ask, begin, chat, draft, end, now, online, R1, sent, server } from '../chatPage';
import { uuid } from '../support';

const PLOT: Attachment = {
  name: 'plot.png',
  text: '',
  mime_type: 'image/png',
  blob: 'a'.repeat(64),
  width: 1500,
  height: 1000
};
const attached = () => now().prompt.draft.attachments;

beforeEach(() => {
  begin();
  online();
});

describe('what a file is', () => {
  it.each([
    ['a.png', '', 'picture'],
    ['A.JPG', '', 'picture'],
    ['pasted', 'image/webp', 'picture'],
    ['a.svg', 'image/svg+xml', 'text'],
    ['report.PDF', 'application/pdf', 'document'],
    ['a.xlsx', '', 'document'],
    ['png.txt', 'text/plain', 'text']
  ])('%s of %s is a %s', (name, type, kind) => expect(kindOf(name, type)).toBe(kind));
});

describe('a prompt with a picture', () => {
  it('is sent without words, and comes back whole when it is refused', () => {
    chat.attach([PLOT]);
    expect(chat.send()).toBe(true);
    expect(sent('send')[0]).toMatchObject({ body: '', attachments: [PLOT] });
    expect(attached()).toEqual([]);
    server().say({
      type: 'error',
      request_id: R1,
      code: 'cannot_see',
      message: 'This model takes no pictures.'
    });
    expect(attached()).toEqual([PLOT]);
    expect(now().chat.notice?.code).toBe('cannot_see');
  });

  it('comes back at Stop, before and after it was accepted', () => {
    chat.attach([PLOT]);
    chat.send();
    chat.stop();
    expect(attached()).toEqual([PLOT]);
    expect(draft()).toBe('');
  });

  it('waits for what is on its way, and keeps its words', () => {
    const arrived = chat.beginUpload('plot.png', () => undefined);
    chat.edit('Look');
    expect(chat.send()).toBe(false);
    expect(chat.stopAndSend()).toBe(false);
    expect(draft()).toBe('Look');
    expect(now().chat.notice?.text).toBe('not there yet');
    expect(chat.isDone).toBe(false);
    arrived();
    chat.attach([PLOT]);
    expect(chat.send()).toBe(true);
    expect(sent('send')[0]).toMatchObject({ body: 'Look', attachments: [PLOT] });
  });

  it('can lose its words when it is edited, while it keeps a picture', () => {
    ask('Look');
    accept(1, R1, 'Look');
    end(2, 'completed', 'I see.');
    server().say({
      type: 'message',
      message: { ...now().chat.messages[0].info, attachments: [PLOT], text: 'Look', text_length: 4 }
    });
    expect(hasPicture(now().chat.messages[0].info.attachments)).toBe(true);
    expect(chat.editPrompt(uuid(1), ' ', [])).toBe(false);
    expect(chat.editPrompt(uuid(1), ' ')).toBe(true);
  });
});

describe('its room', () => {
  it('is counted in tokens, where it is known what the model takes', () => {
    const room = { text: '', attachments: [], tokens: 2000 };
    expect(refuses(ASSUMED, room, PLOT)).toBe('too_long');
    expect(refuses(ASSUMED, { ...room, tokens: 4000 }, PLOT)).toBe(null);
  });

  it('tells two of one name apart', () => {
    const other = { ...PLOT, blob: 'b'.repeat(64) };
    expect(placesOf([other], [PLOT, other])).toEqual([1]);
  });
});

describe('the pictures of a cell', () => {
  const png = btoa('\x89PNG');
  const cell = {
    cell_type: 'code',
    source: 'plot()',
    outputs: [
      { output_type: 'stream', text: 'printed' },
      { output_type: 'display_data', data: { 'image/png': `${png}\n`, 'text/plain': '<Figure>' } },
      { output_type: 'display_data', data: { 'image/svg+xml': '<svg/>', 'text/plain': 'drawn' } },
      { output_type: 'display_data', data: { 'image/jpeg': 'no base64!' } }
    ]
  };

  it('are bytes; what they are called in words is left out', () => {
    const [shown, ...others] = outputPictures(cell);
    expect(others).toEqual([]);
    expect(shown.type).toBe('image/png');
    expect([...shown.bytes]).toEqual([0x89, 0x50, 0x4e, 0x47]);
    expect(outputsText(cell)).toBe('Output:\n```\nprinted\n```\n\nOutput:\n```\ndrawn\n```');
    expect(cellText(cell)).not.toContain('<Figure>');
  });
});
