/** Parse Markdown where nobody waits for it: a worker that takes too long is ended. */
import { parse } from './parser';

onmessage = (event: MessageEvent<{ id: number; markdown: string }>): void => {
  const { id, markdown } = event.data;
  postMessage({ id, html: parse(markdown) });
};
