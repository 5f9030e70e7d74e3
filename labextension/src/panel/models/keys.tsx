/** The dialogs in which a key or an address is given. A key is in its field, and nowhere else. */
import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { failedForKey } from '../../chat/selectors';
import { COMPATIBLE, KeyGiven, ProviderInfo } from '../../stores/modelChoice';
import { PanelTools } from '../context';

/** How long it is said what became of a key, in milliseconds. */
const STAYS = 8000;

interface Field {
  name: string;
  label: string;
  secret: boolean;
  value?: string;
  placeholder?: string;
}

/** A few labelled fields. */
class Fields extends Widget implements Dialog.IBodyWidget<Record<string, string>> {
  /**
   * @param failure why it is asked again; empty the first time.
   * @param link leads to where such a thing is made.
   */
  constructor(
    note: string,
    fields: readonly Field[],
    failure: string,
    link?: { url: string; words: string }
  ) {
    super();
    this.addClass('jp-StopChat-fields');
    const words = document.createElement('p');
    words.textContent = note;
    this.node.append(words);
    if (failure) {
      const why = document.createElement('p');
      why.setAttribute('role', 'alert');
      why.textContent = failure;
      this.node.append(why);
    }
    if (link) {
      const leads = document.createElement('a');
      leads.href = link.url;
      leads.target = '_blank';
      leads.rel = 'noopener noreferrer';
      leads.textContent = link.words;
      this.node.append(leads);
    }
    for (const field of fields) {
      const label = document.createElement('label');
      label.textContent = field.label;
      const input = document.createElement('input');
      input.className = 'jp-mod-styled';
      input.name = field.name;
      input.type = field.secret ? 'password' : 'text';
      input.autocomplete = 'off';
      input.spellcheck = false;
      input.value = field.value ?? '';
      input.placeholder = field.placeholder ?? '';
      label.append(input);
      this.node.append(label);
      this._inputs.push(input);
    }
  }

  getValue(): Record<string, string> {
    const values = Object.fromEntries(this._inputs.map(input => [input.name, input.value.trim()]));
    for (const input of this._inputs) {
      input.value = ''; // what was typed is handed on once
    }
    return values;
  }

  private _inputs: HTMLInputElement[] = [];
}

async function ask(
  title: string,
  body: Fields,
  trans: TranslationBundle
): Promise<Record<string, string> | null> {
  const answer = await showDialog({
    title,
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Save') })
    ],
    focusNodeSelector: 'input'
  });
  return answer.button.accept ? answer.value : null;
}

/** What became of what was given; null: it was refused, or nothing was given. */
type Given = KeyGiven | null;

/**
 * Ask for a provider's key (or a server's address) and give it to the server, which tries it: what
 * became of it is said, and the reply that failed without it is made. One that is refused is asked
 * for again. Tell whether there is a key now.
 *
 * @param chosen the model to use from then on.
 */
export async function askForKey(
  tools: PanelTools,
  provider: ProviderInfo,
  chosen?: string
): Promise<boolean> {
  const { models, trans } = tools;
  const isServer = provider.name === COMPATIBLE;
  const title = isServer ? provider.label : trans.__('Key for %1', provider.label);
  let address = provider.base_url;
  for (let failure = ''; ; failure = models.getSnapshot().failure ?? '') {
    const body = isServer
      ? addressFields(trans, failure, address)
      : keyFields(trans, failure, provider);
    const values = await ask(title, body, trans);
    if (!values || !(isServer ? values.address : values.key)) {
      models.tell(null);
      return false;
    }
    address = values.address;
    const give = (): Promise<Given> =>
      isServer
        ? models.giveAddress(values.address, values.key)
        : models.giveKey(provider.name, values.key);
    const given = await (values.key ? tried(tools, provider, give) : give());
    if (given) {
      if (chosen) {
        await models.choose(chosen);
      }
      retryFailed(tools, provider.name);
      return true;
    }
  }
}

function keyFields(trans: TranslationBundle, failure: string, provider: ProviderInfo): Fields {
  const note = trans.__(
    'The key is kept on the Jupyter server, for you alone, and is not shown again. It is tried at once, at no cost.'
  );
  const link = provider.keys_url && {
    url: provider.keys_url,
    words: trans.__('Make a key at %1', provider.label)
  };
  const fields = [{ name: 'key', label: trans.__('Key'), secret: true }];
  return new Fields(note, fields, failure, link || undefined);
}

function addressFields(trans: TranslationBundle, failure: string, address?: string): Fields {
  const note = trans.__(
    'Any server that speaks as OpenAI does. The Jupyter server connects to it. Leave the key empty where it needs none.'
  );
  const fields = [
    {
      name: 'address',
      label: trans.__('Address (base URL)'),
      secret: false,
      value: address,
      placeholder: 'http://127.0.0.1:8000/v1'
    },
    { name: 'key', label: trans.__('Key'), secret: true }
  ];
  return new Fields(note, fields, failure);
}

/** Say that a key is tried, and what became of it. */
async function tried(
  tools: PanelTools,
  provider: ProviderInfo,
  give: () => Promise<Given>
): Promise<Given> {
  const { trans } = tools;
  const { label } = provider;
  const id = Notification.emit(trans.__('Trying the key for %1…', label), 'in-progress');
  const given = await give();
  if (given?.tried) {
    const message = trans.__('%1 accepts the key.', label);
    Notification.update({ id, message, type: 'success', autoClose: STAYS });
  } else if (given?.untried) {
    const { message: why, said } = given.untried;
    const message = trans.__(
      'The key for %1 is kept. It could not be tried: %2',
      label,
      said ? `${why} (${said})` : why
    );
    Notification.update({ id, message, type: 'warning', autoClose: STAYS });
  } else if (given) {
    const message = trans.__('The key for %1 is kept. The next prompt tries it.', label);
    Notification.update({ id, message, type: 'info', autoClose: STAYS });
  } else {
    Notification.dismiss(id);
  }
  return given;
}

/** Make the reply at the end of the chat that failed for want of a key, or of its model, now that it is there. */
export function retryFailed(tools: PanelTools, provider: string): void {
  const { controller, models } = tools;
  const failed = failedForKey(controller.getSnapshot().chat, provider);
  if (failed && failed.info.model === models.effective) {
    controller.regenerate(failed.id);
  }
}
