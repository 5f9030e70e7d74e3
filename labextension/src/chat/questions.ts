/** Which requests a reply answers: its own, and those that led to it. Pure: no DOM. */
import { PLACE } from './place/mentions';
import { MessageView } from './messages';
import { ChatView } from './replies';
import { withoutOrigins } from './sending/gathering';

/** So many questions back a reply may be about the same thing. */
const FARTHEST = 20;

/**
 * Name the requests that a reply goes back to, the nearest first.
 *
 * One question may have been answered by several requests: its reply was made anew. The way ends
 * at a question that brought something of its own along: from there on it is about that. Where the
 * person was is told with each question, and is none of that.
 */
export function requestsBehind({ messages }: ChatView, replyId: string): string[] {
  const byId = new Map(messages.map(view => [view.id, view]));
  const found: string[] = [];
  let reply = byId.get(replyId);
  for (let step = 0; reply && step < FARTHEST; step += 1) {
    const question = byId.get(reply.info.reply_to ?? '');
    const own = messages.filter(
      view => view.role === 'assistant' && view.info.reply_to === question?.id
    );
    found.push(...own.flatMap(view => view.info.request_id ?? []));
    if (!question || withoutOrigins(question.info.attachments, [PLACE]).length > 0) {
      break;
    }
    reply = before(byId, question);
  }
  return found;
}

/** The reply that a question followed; for a version, that of what it was made from as well. */
function before(
  byId: ReadonlyMap<string, MessageView>,
  question: MessageView
): MessageView | undefined {
  return byId.get(question.info.reply_to ?? '');
}
