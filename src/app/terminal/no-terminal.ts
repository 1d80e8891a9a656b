// What is said where a terminal is missing.
import { CoiError } from '../../errors.ts';

export function noTerminal(command: string): CoiError {
  const hint =
    command === 'coi attach'
      ? 'Without one use `coi tmux capture` to see the screen, and `coi tmux send` to type.'
      : 'Without one use `coi shell --background` to start an agent, or `coi run -- COMMAND` to run one command.';
  return new CoiError('no-terminal', `${command} needs a terminal on stdin and stdout`, { hint });
}
