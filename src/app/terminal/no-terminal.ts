// The error for a missing terminal.
import { CoiError } from '../../errors.ts';

export function noTerminal(command: string): CoiError {
  const hint =
    command === 'coi attach'
      ? 'Use `coi tmux capture` to see the screen, and `coi tmux send` to type.'
      : 'Use `coi shell --background` to start an agent, or `coi run -- COMMAND` to run one command.';
  return new CoiError('no-terminal', `${command} needs a terminal on stdin and stdout`, { hint });
}
