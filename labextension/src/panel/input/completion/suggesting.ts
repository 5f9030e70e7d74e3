/** What can be chosen for the word at the caret: names behind an `@`, commands behind a `/`. */
import { TranslationBundle } from '@jupyterlab/translation';

import { ChatCommand, ChatCommands } from '../../../chat/commands';
import { FILE, Name, NAMES, Word, written } from '../../../chat/place/mentions';

/** One thing that can be chosen. */
export interface Suggestion {
  /** What is shown first. */
  readonly label: string;
  readonly detail: string;
  /** What stands in the place of the word then; a command runs instead. */
  readonly text: string;
  /** There is more to choose behind it. */
  readonly goesOn: boolean;
  readonly command?: ChatCommand;
}

export interface SuggestionSources {
  commands: ChatCommands;
  /** Return the paths that begin so, folders with a `/` behind them. */
  paths: (typed: string) => Promise<string[]>;
  trans: TranslationBundle;
}

/** Return what can be chosen for a word; nothing where it is whole already. */
export async function suggestionsFor(
  word: Word,
  { commands, paths, trans }: SuggestionSources
): Promise<readonly Suggestion[]> {
  if (word.sign === '/') {
    return commands.startingWith(word.typed).map(command => ({
      label: `/${command.name}`,
      detail: command.description,
      text: '',
      goesOn: false,
      command
    }));
  }
  if (word.typed.startsWith(FILE)) {
    const typed = word.typed.slice(FILE.length);
    const found = await paths(typed);
    return found.length === 1 && found[0] === typed ? [] : found.map(ofPath);
  }
  const details = detailsOf(trans);
  const names = [...NAMES, FILE].filter(name => name.startsWith(word.typed.toLowerCase()));
  return names.length === 1 && names[0] === word.typed
    ? []
    : names.map(name => ({
        label: `@${name}`,
        detail: details[name as Name | typeof FILE],
        text: `@${name}`,
        goesOn: name === FILE
      }));
}

/**
 * Leave of what is offered what a word that was typed on still begins, until what can be chosen for
 * it is known: nothing is chosen for a word that is there no more.
 */
export function narrowed(shown: readonly Suggestion[], word: Word): readonly Suggestion[] {
  const typed = `${word.sign}${word.typed}`.toLowerCase();
  return shown.filter(one => {
    if (one.command) {
      return one.label.toLowerCase().startsWith(typed);
    }
    const text = one.text.replace(`@${FILE}"`, `@${FILE}`).toLowerCase();
    return text.startsWith(typed) && text !== typed;
  });
}

function ofPath(path: string): Suggestion {
  const whole = written({ name: 'file', path });
  const isFolder = path.endsWith('/');
  return {
    label: path,
    detail: '',
    // in a folder one goes on typing, within the quotes where it has some
    text: isFolder ? whole.replace(/"$/, '') : whole,
    goesOn: isFolder
  };
}

function detailsOf(trans: TranslationBundle): Record<Name | typeof FILE, string> {
  return {
    cell: trans.__('the active cell and what it printed'),
    selection: trans.__('what is selected'),
    notebook: trans.__('the whole notebook'),
    error: trans.__('the cell that failed last'),
    output: trans.__('what the active cell printed'),
    variables: trans.__('names, types and shapes of the variables'),
    [FILE]: trans.__('a file, by its path')
  };
}
