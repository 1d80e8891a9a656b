// Arguments of agent.sh: the agent's command, and how to start it again after it ended. Pure.

export interface AgentRestart {
  /** The agent's display name. */
  readonly title: string;
  /** The conversation files: if there is none yet, the first command runs again. If undefined, `words` are always used. */
  readonly kept?:
    | { readonly dir: string; readonly depth: number; readonly suffix: string }
    | undefined;
  /** The command that continues the newest conversation. */
  readonly words: readonly string[];
  /** How many words at the end of the command are the agent's; the words before them prepare it. */
  readonly tail: number;
}

/** The arguments of agent.sh after its mode; without `again` it is a plain command that cannot be started again. */
export function agentScriptArguments(
  again: AgentRestart | undefined,
  command: readonly string[],
): string[] {
  if (again === undefined) return ['', '', '0', '0', ...command];
  const { title, kept, words, tail } = again;
  const files = kept ? `${kept.dir} ${kept.depth} ${kept.suffix}` : '';
  return [title, files, String(words.length), String(tail), ...words, ...command];
}
