/** The words for how a reply ended. */
import { TranslationBundle } from '@jupyterlab/translation';

import { isTerminal } from '../../wire/guards';
import { Cost, Message, Receipt, Usage } from '../../wire/protocol';
import { costWords } from '../money';
import { usageWords } from './usageLine';

/** Tell whether a reply that ended can be continued. */
export function goesOn(info: Message): boolean {
  return info.state === 'completed' ? info.finish_reason === 'length' : isTerminal(info.state);
}

/** Tell whether a reply was asked for from here, and not imported: then something was sent. */
export function wasSent(info: Message | undefined): boolean {
  const asked = info?.request_id !== undefined || info?.instructions !== undefined;
  return asked && info?.state !== 'queued';
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
    case 'server_gone':
      return trans.__('The server went away');
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
  usage: Usage | undefined,
  cost?: Cost
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
  const did = callsWords(trans, stop.calls);
  const cell = kernelWords(trans, stop.kernel);
  const heard = serverWords(trans, stop.server);
  const counted = usageWords(trans, usage);
  const paid = costWords(trans, cost);
  return [words[stop.provider], did, cell, heard, counted, paid].filter(Boolean).join(', ');
}

/** Say what the server of a tool that was stopped made of that. */
function serverWords(trans: TranslationBundle, server: Receipt['server']): string {
  const ms = Math.round(server?.ms ?? 0);
  switch (server?.answer) {
    case 'acknowledged':
      return trans.__('the tool’s server acknowledged it after %1 ms', ms);
    case 'unacknowledged':
      return trans.__('the tool’s server was told, and said nothing within %1 ms', ms);
    case 'gone':
      return trans.__('the tool’s server has ended');
    default:
      return '';
  }
}

/** Say what the kernel said of the cell that was stopped. */
function kernelWords(trans: TranslationBundle, kernel: Receipt['kernel']): string {
  if (!kernel) {
    return '';
  }
  const { answer, exact, idle_ms } = kernel;
  const ms = Math.round(idle_ms ?? kernel.ms);
  const said = {
    raised: trans.__('the cell was interrupted after %1 ms', ms),
    handler: trans.__('the cell was interrupted after %1 ms', ms),
    plain: trans.__('the kernel was interrupted after %1 ms', ms),
    ended: trans.__('the cell had ended'),
    refused: trans.__('the cell had not begun, and will not'),
    pending: trans.__('the cell did not react to the interrupt'),
    no_answer: trans.__('the kernel did not answer the interrupt'),
    not_sent: trans.__('the kernel was not interrupted')
  }[answer];
  const isOver = answer === 'ended' || answer === 'refused' || answer === 'not_sent';
  const goesOn = idle_ms === undefined && !isOver;
  const words = [
    said,
    answer === 'plain' && !exact && trans.__('which may have interrupted another cell'),
    goesOn && trans.__('and was still running')
  ];
  return words.filter(Boolean).join(', ');
}

/** Say what a stop found of a reply's tool calls. */
function callsWords(trans: TranslationBundle, calls: Receipt['calls']): string {
  if (!calls) {
    return '';
  }
  const { completed, interrupted, not_begun, cells_changed, files_changed } = calls;
  const words = [
    completed > 0 && trans._n('%1 tool call done', '%1 tool calls done', completed),
    interrupted > 0 && trans._n('%1 stopped', '%1 stopped', interrupted),
    not_begun > 0 && trans._n('%1 not begun', '%1 not begun', not_begun),
    cells_changed > 0 && trans._n('%1 cell changed', '%1 cells changed', cells_changed),
    files_changed > 0 && trans._n('%1 file changed', '%1 files changed', files_changed)
  ];
  return words.filter(Boolean).join(', ');
}
