/** What can be run by a `/` in the input: our own commands, and those of other packages. */

/** What runs when it is chosen behind a `/`. */
export interface ChatCommand {
  /** What is typed behind the `/`: letters, digits and dashes. */
  readonly name: string;
  /** What it does, in a few words: they stand beside the name. */
  readonly description: string;
  /** Tell whether it can be chosen now; by default it always can. */
  isEnabled?: () => boolean;
  /**
   * Run it.
   *
   * @param words what stands in the input besides the command.
   * @return what the input holds then; without it, the words.
   */
  run: (words: string) => string | void | Promise<string | void>;
}

export class ChatCommands {
  /**
   * Add a command.
   *
   * @return what takes it away again.
   * @throws an `Error` where the name cannot be typed, or is taken.
   */
  add(command: ChatCommand): () => void {
    if (!/^[A-Za-z0-9][\w-]*$/.test(command.name)) {
      throw new Error(`“/${command.name}” cannot be typed as a command.`);
    }
    if (this.has(command.name)) {
      throw new Error(`There is a command “/${command.name}” already.`);
    }
    this._all.set(command.name.toLowerCase(), command);
    return () => {
      if (this._all.get(command.name.toLowerCase()) === command) {
        this._all.delete(command.name.toLowerCase());
      }
    };
  }

  has(name: string): boolean {
    return this._all.has(name.toLowerCase());
  }

  /** Return the commands that can be run now and begin so, by their names. */
  startingWith(typed: string): ChatCommand[] {
    return [...this._all]
      .filter(([name, { isEnabled }]) => name.startsWith(typed.toLowerCase()) && (isEnabled?.() ?? true))
      .map(([, command]) => command)
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  private _all = new Map<string, ChatCommand>();
}
