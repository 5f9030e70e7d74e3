/*
 * The objects of tool calls inside them.
 * Generated from jupyter_stop_chat/wire/ by scripts/generate_protocol.py: do not edit.
 */

/**
 * What a stop found of a reply's tool calls, and how much the reply had changed.
 */
export interface CallCounts {
  completed: number;
  interrupted: number;
  not_begun: number;
  cells_changed: number;
  files_changed: number;
}

/**
 * What the kernel of a cell that was stopped said, after so many milliseconds.
 *
 * `exact`: it can have hit no other cell. `idle_ms`: when it was done with the cell; absent where
 * it was not, as the receipt was written.
 */
export interface KernelStop {
  answer: 'raised' | 'handler' | 'ended' | 'pending' | 'refused' | 'no_answer' | 'plain' | 'not_sent';
  ms: number;
  exact: boolean;
  idle_ms?: number;
}

/**
 * What the server of a tool that was stopped said, after so many milliseconds.
 */
export interface ServerStop {
  answer: 'acknowledged' | 'unacknowledged' | 'gone';
  ms: number;
}

/**
 * One tool call; `args` and `result` are shown, and cut where they are long.
 *
 * `at` is where in the reply's text it stands. `approval` is there while it is asked for.
 * `waits_for` and `progress`, its own words for how far it has come, are there while it runs.
 */
export interface ToolCall {
  call_id: string;
  name: string;
  state: 'asked' | 'waiting' | 'running' | 'completed' | 'failed' | 'refused' | 'interrupted' | 'still_running';
  args?: string;
  result?: string;
  at?: number;
  touches?: 'reads' | 'edits' | 'runs';
  approval?: Approval;
  duration_ms?: number;
  waits_for?: 'kernel';
  progress?: string;
}

/**
 * What a person is asked to allow: exactly what has this digest.
 *
 * `by_rule`: it may be allowed in this chat, or always; else only this once.
 */
export interface Approval {
  digest: string;
  by_rule: boolean;
}

/**
 * What a reply changed, and whether that was taken back.
 */
export interface Changes {
  cells: number;
  files: number;
  undone: boolean;
}
