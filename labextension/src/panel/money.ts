/** Tokens and money in words. */
import { TranslationBundle } from '@jupyterlab/translation';

import { SpentToday } from '../stores/spendingRoutes';
import { Cost, Spent } from '../wire/protocol';

const MILLION = 1_000_000;
/** Less than that is not told apart, in dollars. */
const LEAST = 0.0001;

/** Write an amount of millionths of a dollar: cents as cents, and less as far as it tells. */
export function dollars(amount: number): string {
  const value = amount / MILLION;
  if (amount === 0) {
    return '$0';
  }
  if (value < LEAST) {
    return `<$${LEAST}`;
  }
  return `$${value < 0.1 ? Number(value.toPrecision(2)) : value.toFixed(2)}`;
}

/** Say what a reply cost; nothing where nobody knows, or where it was free. */
export function costWords(
  trans: TranslationBundle,
  cost: Cost | undefined
): string | undefined {
  if (!cost || cost.amount === 0) {
    return undefined;
  }
  const amount = dollars(cost.amount);
  return cost.estimated ? trans.__('about %1', amount) : amount;
}

/** Say what was spent: the tokens, and the money as far as that is known. */
export function spentWords(trans: TranslationBundle, spent: Spent): string {
  const count = (spent.input_tokens + spent.output_tokens).toLocaleString();
  const tokens = spent.estimated
    ? trans.__('about %1 tokens', count)
    : trans.__('%1 tokens', count);
  if (spent.cost === 0) {
    return tokens;
  }
  const amount = dollars(spent.cost);
  const money = spent.unpriced
    ? trans.__('at least %1', amount)
    : spent.estimated
      ? trans.__('about %1', amount)
      : amount;
  return `${tokens} · ${money}`;
}

/** Say what of a day's budget is used, and when the next one begins where nothing is left. */
export function todayWords(trans: TranslationBundle, today: SpentToday): string[] {
  const { spent, max_cost: money, max_tokens: tokens } = today;
  const words = [trans.__('Today: %1', spentWords(trans, spent))];
  if (money) {
    words.push(trans.__('Limit of a day: %1', dollars(money)));
  }
  if (tokens) {
    words.push(trans.__('Limit of a day: %1 tokens', tokens.toLocaleString()));
  }
  if (today.used_up) {
    const when = new Date(today.begins_anew).toLocaleString();
    words.push(trans.__('Used up: a new day begins on %1.', when));
  }
  return words;
}
