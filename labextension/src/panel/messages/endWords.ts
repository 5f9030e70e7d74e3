/** The words for how a reply ended. */
import { TranslationBundle } from '@jupyterlab/translation';

import { isTerminal } from '../../wire/guards';
import { Message, Receipt, Usage } from '../../wire/protocol';
import { usageWords } from './usageLine';

/** Say that another server makes a reply. */
export function elsewhereWords(trans: TranslationBundle): string {
  return trans.__('Another Jupyter server is making this reply. It can be stopped there.');
}

/** Tell whether a reply that ended can be continued. */
export function goesOn(info: Message): boolean {
  return info.state === 'completed' ? info.finish_reason === 'length' : isTerminal(info.state);
}

/** Say how a reply ended that did not come to its own end. */
export function finishWords(
  trans: TranslationBundle,
  reason: Message['finish_reason'],
  hasText: boolean
): string {
  switch (reason) {
    case 'length':
      return hasText
        ? trans.__('Response cut at the model’s limit')
        : trans.__(
            'The model’s limit was used up by thinking. Raise it, or ask for something shorter.'
          );
    case 'cut_off':
      return trans.__('The connection broke off before the response ended');
    case 'content_filter':
      return trans.__('Response cut by the provider’s content filter');
    case 'refusal':
      return trans.__('The model refused to answer');
    default:
      return '';
  }
}

/** Say why a reply ended early. */
export function reasonWords(trans: TranslationBundle, stop: Receipt | undefined): string {
  switch (stop?.reason) {
    case 'server_restart':
      return trans.__('The server restarted');
    case 'server_shutdown':
      return trans.__('The server shut down');
    case 'replaced':
      return trans.__('Replaced by a newer prompt');
    case 'deleted':
      return trans.__('The chat was deleted');
    case 'user':
      return trans.__('Response stopped by the user');
    default:
      return trans.__('Response interrupted');
  }
}

/** Say what a stop did: the provider's connection, and the tokens that were made. */
export function receiptWords(
  trans: TranslationBundle,
  stop: Receipt | undefined,
  usage: Usage | undefined
): string | undefined {
  if (!stop) {
    return undefined;
  }
  const ms = Math.round(stop.provider_ms ?? 0);
  const words = {
    closed:
      stop.provider_ms === undefined
        ? trans.__('provider connection closed')
        : trans.__('provider connection closed after %1 ms', ms),
    unconfirmed: trans.__('provider connection could not be confirmed as closed'),
    still_finishing: trans.__('the model is still finishing in the background'),
    not_started: trans.__('no request to the provider had been made')
  };
  const counted = usageWords(trans, usage);
  return [words[stop.provider], ...(counted ? [counted] : [])].join(', ');
}
