/** Files that a reply wrote: put back, or written again, and nothing that a person wrote is lost. */
import { chainOf, Turn } from './chain';
import { plainLines, TextFiles } from '../files/textFiles';
import { PageFailure } from '../../../chat/tools/pageCalls';
import { Moved, Noted } from '../../../stores/agent/toolRoutes';

/**
 * Take back what was written into one file, or write it again.
 *
 * @param writes what was written, in order.
 */
export async function moveFile(
  files: Pick<TextFiles, 'read' | 'put'>,
  path: string,
  writes: readonly Noted[],
  undone: boolean
): Promise<Moved[]> {
  const wanted = undone ? ['done', 'begun'] : ['undone'];
  const turns = writes
    .filter(one => wanted.includes(one.state))
    .sort((one, other) => (undone ? other.n - one.n : one.n - other.n))
    .map(one => turnOf(one, undone));
  const leave = (why: string): Moved[] => turns.map(({ n }) => ({ n, outcome: 'left', why }));
  try {
    const now = await files.read(path);
    if (isOfOther(now, turns)) {
      return leave('changed');
    }
    const { end, outcomes } = chainOf(now, turns);
    if (end !== undefined && end !== now) {
      const isSaved = await files.put(path, now, now === null ? asWritten(end, writes) : end);
      if (!isSaved) {
        return leave('not_saved'); // JupyterLab tells why
      }
    }
    return outcomes;
  } catch (error) {
    return leave(error instanceof PageFailure ? error.code : 'failed');
  }
}

function turnOf({ n, before, after }: Noted, undone: boolean): Turn {
  const [old, made] = [before, after].map(text => (typeof text === 'string' ? plainLines(text) : null));
  return undone ? { n, from: made, to: old } : { n, from: old, to: made };
}

/** Tell whether somebody else has made a file where the reply's is to be. */
function isOfOther(now: string | null, turns: readonly Turn[]): boolean {
  const first = turns.at(0);
  return first?.from === null && ![null, first.to, turns.at(-1)?.to].includes(now);
}

/** Return a text of a new file as it was written first, also how its lines ended. */
function asWritten(text: string | null, writes: readonly Noted[]): string | null {
  const texts = writes.flatMap(({ before, after }) => [before, after]);
  return texts.find(one => typeof one === 'string' && plainLines(one) === text) ?? text;
}
