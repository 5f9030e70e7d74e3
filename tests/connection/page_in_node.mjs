// The page's own logic without a browser: frames come in as lines, and what it sends goes out.
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';

const { OpenChats } = await import(process.argv[2]);

let now = 0;
let waiting = [];
const clock = {
  now: () => now,
  after: (ms, what) => {
    const entry = { at: now + ms, what };
    waiting.push(entry);
    return entry;
  },
  cancel: entry => {
    waiting = waiting.filter(one => one !== entry);
  }
};
function advance(ms) {
  const end = now + ms;
  for (;;) {
    const due = waiting.filter(one => one.at <= end).sort((one, other) => one.at - other.at)[0];
    if (!due) {
      break;
    }
    clock.cancel(due);
    now = due.at;
    due.what();
  }
  now = end;
}

let openChats, controller, socket, sent, ids;
const uuid = n => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const commands = {
  begin: ({ chat_id }) => {
    [now, waiting, sent, ids] = [0, [], [], 0];
    openChats = new OpenChats({
      clock,
      connect: () =>
        (socket = { send: data => sent.push(JSON.parse(data)), close: () => undefined }),
      makeId: () => uuid((ids += 1)),
      settings: () => ({ onStop: 'keep', policy: null, restorePrompt: true }),
      words: { notConnected: '', noAnswer: '', promptTooLong: '' },
      nextFrame: what => what()
    });
    controller = openChats.open(chat_id);
    openChats.connect();
  },
  say: ({ frames }) => frames.forEach(frame => socket.onmessage({ data: JSON.stringify(frame) })),
  drop: () => socket.onclose({}),
  advance: ({ ms }) => advance(ms),
  want: ({ message_ids, details }) => message_ids.forEach(id => controller.want(id, details)),
  look: () => undefined
};
const digest = text => createHash('sha256').update(text, 'utf16le').digest('hex');
const shown = () =>
  controller.getSnapshot().chat.messages.map(view => ({
    id: view.id,
    length: view.text.length,
    digest: digest(view.text),
    details: digest(
      [view.reasoning, ...(view.info.attachments ?? []).map(one => one.text)].join('\0')
    ),
    whole: view.text.length === view.info.text_length,
    left: (view.info.left_out ?? []).length
  }));

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...rest } = JSON.parse(line);
  commands[command](rest);
  const answer = { sent: sent.splice(0), shown: command === 'look' ? shown() : undefined };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
