/** What can be run by a `/`, ours and that of other packages. */
import { expect, it } from 'vitest';

import { ChatCommand, ChatCommands } from '../../src/chat/commands';

const named = (name: string, isEnabled?: () => boolean): ChatCommand => ({
  ...{ name, description: name, isEnabled },
  run: () => undefined
});

it('is found by its beginning, as long as it is there and can be run', () => {
  const commands = new ChatCommands();
  let on = false;
  const takeAway = commands.add(named('fix'));
  commands.add(named('explain'));
  commands.add(named('Export', () => on));
  const found = (typed: string): string[] => commands.startingWith(typed).map(one => one.name);
  expect(found('')).toEqual(['explain', 'fix']);
  on = true;
  expect(found('EX')).toEqual(['Export', 'explain']);
  takeAway();
  takeAway();
  expect(found('f')).toEqual([]);
  commands.add(named('fix'));
  takeAway(); // not another's of that name
  expect(found('f')).toEqual(['fix']);
});

it('is refused where it cannot be typed, or its name is taken', () => {
  const commands = new ChatCommands();
  commands.add(named('fix'));
  for (const name of ['', 'a b', '/x', 'fix', 'FIX', '-x']) {
    expect(() => commands.add(named(name))).toThrow(/command/);
  }
});
