/** The HTTP route of what the person used today, and may use. */
import { Ask } from './server';
import { Spent } from '../wire/protocol';

/** How long to wait for an answer, in milliseconds. */
const PATIENCE = 30_000;

/** What was used today in all chats, deleted ones too. */
export interface SpentToday {
  readonly spent: Spent;
  /** What may be used in a day, in millionths of a dollar and in tokens; absent: any amount. */
  readonly max_cost?: number | null;
  readonly max_tokens?: number | null;
  /** When the next day begins. */
  readonly begins_anew: string;
  readonly used_up: boolean;
}

export interface SpendingRoutes {
  today(): Promise<SpentToday>;
}

export function spendingRoutesOf(ask: Ask): SpendingRoutes {
  return {
    today: async () => {
      const answer = await ask(['spending'], { patience: PATIENCE });
      return (await answer.json()) as SpentToday;
    }
  };
}
