// What agent.sh is told: the agent's command, and how it is started again once it has ended. Pure.

export interface Again {
  /** The agent's name for people. */
  readonly title: string;
  /** Where conversations are kept: where there is none yet, the first command is run again. Without it they go on blindly. */
  readonly kept?:
    | { readonly dir: string; readonly depth: number; readonly suffix: string }
    | undefined;
  /** Goes on with the newest conversation. */
  readonly words: readonly string[];
  /** How many words of the command are the agent's, at its end: the rest prepares. */
  readonly tail: number;
}

/** The arguments of agent.sh after its mode; without `again` it is a plain command, of whose end nothing is said. */
export function agentWords(again: Again | undefined, command: readonly string[]): string[] {
  if (again === undefined) return ['', '', '0', '0', ...command];
  const { title, kept, words, tail } = again;
  const files = kept ? `${kept.dir} ${kept.depth} ${kept.suffix}` : '';
  return [title, files, String(words.length), String(tail), ...words, ...command];
}
