/** The HTTP routes of what tools were asked, what they changed, and which may act unasked. */
import { Ask } from '../server';
import { ToolAnswer } from '../../wire/protocol';

/** One change of a document, as it is noted before it is made. */
export interface Change {
  readonly path: string;
  readonly action: 'insert' | 'replace' | 'move' | 'delete' | 'run' | 'write';
  readonly cell_id?: string | null;
  readonly cell_type?: string | null;
  /** Its source as it was, and as it is to be; none where there is none. */
  readonly before?: string | null;
  readonly after?: string | null;
  /** A deleted cell as the notebook had it. */
  readonly cell?: Readonly<Record<string, unknown>> | null;
  /** The neighbours where it was, and where it came to; null is the notebook's end. */
  readonly beside?: {
    readonly above?: string | null;
    readonly below?: string | null;
    readonly new_above?: string | null;
    readonly new_below?: string | null;
  } | null;
}

/** A change that was noted. */
export interface Noted extends Change {
  /** Its number within the message. */
  readonly n: number;
  readonly call_id: string;
  readonly state: 'begun' | 'done' | 'failed' | 'undone';
}

/** What became of a change as it was taken back, or made again. */
export interface Moved {
  readonly n: number;
  readonly outcome: 'put_back' | 'merged' | 'left';
  /** Why it was left, for the person: `gone`, `changed`, `neighbours`, or an error of the page. */
  readonly why?: string;
}

/** A tool call as it was made: its whole arguments, and what it would change or has changed. */
export interface CallDetails {
  readonly call_id: string;
  readonly args: string | null;
  readonly result: string | null;
  readonly proposed: readonly Change[];
  readonly changes: readonly Noted[];
}

/** A change that was left as it is. */
export interface Left {
  readonly path: string;
  /** Null where it is a file. */
  readonly cellId: string | null;
  /** Where the cell stands now, from 0; -1 where it is not. */
  readonly index: number;
  readonly why: string;
}

export interface Counted {
  readonly cells: number;
  readonly files: number;
}

/** What became of what a reply had changed, by cells and by files. */
export interface Came {
  readonly putBack: Counted;
  readonly merged: Counted;
  readonly left: readonly Left[];
}

/** The tools that a person lets act unasked: in one chat, else in all. */
export interface AllowedTools {
  readonly tools: readonly { readonly tool: string; readonly chat_id?: string | null }[];
  /** The administrator decides, and none of these counts. */
  readonly locked: boolean;
}

/** What a cell showed while no page had its notebook open. */
export interface KeptRun {
  readonly message_id: string;
  readonly call_id: string;
  readonly path: string;
  readonly cell_id: string;
  /** SHA-256 of what ran, as hexadecimal digits. */
  readonly source_digest: string;
  readonly outputs: readonly unknown[];
  readonly execution_count?: number | null;
  readonly ended_at: string;
}

export interface ToolRoutes {
  answer(call: string, answer: Omit<ToolAnswer, 'type' | 'call'>): Promise<void>;
  calls(messageId: string): Promise<readonly CallDetails[]>;
  changes(messageId: string): Promise<readonly Noted[]>;
  /** Note what became of the changes of a message. */
  moved(messageId: string, undone: boolean, outcomes: readonly Moved[]): Promise<void>;
  /** Return what cells of a notebook showed that is in no page's copy of it. */
  keptOutputs(path: string): Promise<readonly KeptRun[]>;
  /** Have the server forget it: it is in the notebook, or does not belong there any more. */
  dropOutputs(messageId: string, callId: string): Promise<void>;
  /** Act on the kernel in which a call goes on behind its stop. */
  kernel(messageId: string, callId: string, action: 'interrupt' | 'restart'): Promise<void>;
  allowed(): Promise<AllowedTools>;
  /** @param chatId null for all chats. */
  askAgain(tool: string, chatId: string | null): Promise<void>;
}

/** How long to wait for an answer, in milliseconds. */
const PATIENCE = 60_000;

export function toolRoutesOf(ask: Ask): ToolRoutes {
  return {
    answer: async (call, body) => {
      await ask(['tool-answers', call], { method: 'POST', body, patience: PATIENCE });
    },
    calls: async messageId => {
      const answer = await ask(['messages', messageId, 'calls'], { patience: PATIENCE });
      const { calls = [] } = (await answer.json()) as { calls?: readonly Partial<CallDetails>[] };
      return calls.map(one => ({
        ...{ call_id: one.call_id ?? '', args: one.args ?? null, result: one.result ?? null },
        ...{ proposed: one.proposed ?? [], changes: one.changes ?? [] }
      }));
    },
    changes: async messageId => {
      const answer = await ask(['messages', messageId, 'changes'], { patience: PATIENCE });
      const { changes = [] } = (await answer.json()) as { changes?: readonly Noted[] };
      return changes;
    },
    moved: async (messageId, undone, outcomes) => {
      const body = { undone, outcomes: outcomes.map(({ n, outcome }) => ({ n, outcome })) };
      await ask(['messages', messageId, 'changes'], { method: 'POST', body, patience: PATIENCE });
    },
    keptOutputs: async path => {
      const answer = await ask(['cell-outputs'], { query: { path }, patience: PATIENCE });
      const { runs = [] } = (await answer.json()) as { runs?: readonly KeptRun[] };
      return runs;
    },
    dropOutputs: async (messageId, callId) => {
      const path = ['cell-outputs', messageId, callId];
      await ask(path, { method: 'DELETE', patience: PATIENCE });
    },
    kernel: async (messageId, callId, action) => {
      const path = ['messages', messageId, 'calls', callId, 'kernel'];
      await ask(path, { method: 'POST', body: { action }, patience: PATIENCE });
    },
    allowed: async () => {
      const answer = await ask(['allowed-tools'], { patience: PATIENCE });
      const { tools = [], locked = false } = (await answer.json()) as Partial<AllowedTools>;
      return { tools, locked };
    },
    askAgain: async (tool, chatId) => {
      const query: Record<string, string> = chatId ? { tool, chat_id: chatId } : { tool };
      await ask(['allowed-tools'], { method: 'DELETE', query, patience: PATIENCE });
    }
  };
}
