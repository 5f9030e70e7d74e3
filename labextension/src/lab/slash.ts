/** Our own commands behind a `/`. */
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { ChatCommand, ChatCommands } from '../chat/commands';
import { CommandIDs } from './commands';

/** Add our own commands; where another package took a name before, its command stays. */
export function addSlashCommands(
  chatCommands: ChatCommands,
  commands: CommandRegistry,
  trans: TranslationBundle
): void {
  const running = (name: string, description: string, id: string): ChatCommand => ({
    name,
    description,
    isEnabled: () => commands.isEnabled(id),
    run: async () => {
      await commands.execute(id);
    }
  });
  const asking = (name: string, description: string, question: string): ChatCommand => ({
    name,
    description,
    run: words => (words.trim() ? `${question} ${words}` : question)
  });
  const all = [
    asking(
      'fix',
      trans.__('ask for a fix of the last error'),
      trans.__('What is wrong here, and how is it fixed? @error')
    ),
    asking('explain', trans.__('ask what the active cell does'), trans.__('Explain this: @cell')),
    running('clear', trans.__('begin a new chat'), CommandIDs.newChat),
    running('model', trans.__('choose the model'), CommandIDs.chooseModel),
    running('export', trans.__('export the chat as Markdown'), CommandIDs.exportMarkdown)
  ];
  all.filter(({ name }) => !chatCommands.has(name)).forEach(one => chatCommands.add(one));
}
