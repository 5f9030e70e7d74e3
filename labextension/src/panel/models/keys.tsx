/** The dialogs in which a key or an address is given. A key is in its field, and nowhere else. */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { COMPATIBLE, ModelChoice, ProviderInfo } from '../../stores/modelChoice';

interface Field {
  name: string;
  label: string;
  secret: boolean;
  value?: string;
  placeholder?: string;
}

/** A few labelled fields. */
class Fields extends Widget implements Dialog.IBodyWidget<Record<string, string>> {
  constructor(note: string, fields: readonly Field[]) {
    super();
    this.addClass('jp-StopChat-fields');
    const words = document.createElement('p');
    words.textContent = note;
    this.node.append(words);
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

/** Ask for a provider's key, and give it to the server; tell whether it has one now. */
export async function askForKey(
  models: ModelChoice,
  provider: ProviderInfo,
  trans: TranslationBundle
): Promise<boolean> {
  if (provider.name === COMPATIBLE) {
    return askForAddress(models, provider, trans);
  }
  const note = trans.__(
    'The key is kept on the Jupyter server, for you alone, and is not shown again.'
  );
  const body = new Fields(note, [{ name: 'key', label: trans.__('Key'), secret: true }]);
  const given = await ask(trans.__('Key for %1', provider.label), body, trans);
  return given !== null && given.key !== '' && (await models.giveKey(provider.name, given.key));
}

/** Ask for the address of an OpenAI-compatible server, and its key if it has one. */
export async function askForAddress(
  models: ModelChoice,
  provider: ProviderInfo,
  trans: TranslationBundle
): Promise<boolean> {
  const note = trans.__(
    'Any server that speaks as OpenAI does. The Jupyter server connects to it. Leave the key empty where it needs none.'
  );
  const body = new Fields(note, [
    {
      name: 'address',
      label: trans.__('Address (base URL)'),
      secret: false,
      value: provider.base_url,
      placeholder: 'http://127.0.0.1:8000/v1'
    },
    { name: 'key', label: trans.__('Key'), secret: true }
  ]);
  const given = await ask(trans.__('OpenAI-compatible server'), body, trans);
  return (
    given !== null && given.address !== '' && (await models.giveAddress(given.address, given.key))
  );
}
