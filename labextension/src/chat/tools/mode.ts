/** Whether a model may use tools: what was chosen, and what can be. */
import { Send, Welcome } from '../../wire/protocol';

export type Mode = NonNullable<Send['mode']>;

/** The chats for which a mode was chosen. */
export interface Modes {
  get(chatId: string): Mode | undefined;
  set(chatId: string, mode: Mode): void;
}

/** Tell whether a server lets models use tools. */
export function hasAgent(welcome: Pick<Welcome, 'modes'> | null): boolean {
  return welcome?.modes?.includes('agent') ?? false;
}

/**
 * Return the mode that a prompt is sent with.
 *
 * @param chosen what was chosen for its chat; null leaves it to the setting.
 * @param callsTools whether the model can call tools, where that is known.
 */
export function effectiveMode(
  welcome: Pick<Welcome, 'modes'> | null,
  chosen: Mode | null,
  set: Mode,
  callsTools: boolean | undefined
): Mode {
  const wanted = chosen ?? set;
  return wanted === 'agent' && hasAgent(welcome) && callsTools !== false ? 'agent' : 'ask';
}
